"""What callers do while they meet planted faults: as short as the fault allows."""

from __future__ import annotations

from harness.call import Caller


async def connects(caller: Caller) -> None:
    await caller.connect()
    await caller.hang_up()


async def configures(caller: Caller) -> None:
    await caller.connect()
    await caller.update_session(instructions="Answer in one word.")
    await caller.hang_up()


async def takes_a_turn(caller: Caller) -> None:
    await caller.connect()
    await caller.update_session(instructions="Answer in one word.")
    await caller.say("en-m-yes")
    await caller.hear_reply()
    await caller.hang_up()


async def asks_at_length(caller: Caller) -> None:
    await caller.connect()
    await caller.say("en-f-order")
    await caller.hear_reply()
    await caller.hang_up()


async def says_two_things(caller: Caller) -> None:
    """The second comes while nobody has answered the first."""
    await caller.connect()
    await caller.say("en-m-yes")
    await caller.stay_silent(1.2)
    await caller.say("en-m-yes")
    await caller.hear_reply()
    await caller.hang_up()


async def stays_on_the_line(caller: Caller) -> None:
    await caller.connect()
    await caller.stay_silent(4)
    await caller.hang_up()


async def speaks_muted(caller: Caller) -> None:
    await caller.connect()
    caller.mute()
    await caller.say("en-f-order")
    await caller.stay_silent(0.5)
    await caller.hang_up()
