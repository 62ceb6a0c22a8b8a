"""What callers do while they meet planted faults: as short as the fault allows."""

from __future__ import annotations

from harness.call import Caller
from harness.core.fields import tables, text


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


async def speaks_again(caller: Caller) -> None:
    """Once more after a reply, and waits in vain for another."""
    await caller.connect()
    await caller.say("en-m-yes")
    await caller.hear_reply()
    await caller.say("en-m-yes")
    await caller.stay_silent(2)
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


async def commits_nothing(caller: Caller) -> None:
    """Without turn detection, and forgets that turns have to be committed then."""
    await _speaks_by_hand(caller)
    await caller.hear_reply()


async def asks_for_nothing(caller: Caller) -> None:
    """Commits what it said, and forgets to ask for a response."""
    await _speaks_by_hand(caller)
    caller.send({"type": "input_audio_buffer.commit"})
    await caller.hear_reply()


async def asks_by_hand(caller: Caller) -> None:
    """Commits what it said and asks for a response, as push-to-talk does."""
    await _speaks_by_hand(caller)
    caller.send({"type": "input_audio_buffer.commit"})
    caller.send({"type": "response.create"})
    await caller.hear_reply()


async def _speaks_by_hand(caller: Caller) -> None:
    await caller.connect()
    await caller.update_session(audio={"input": {"turn_detection": None}})
    await caller.say("en-m-yes")


async def stays_on_the_line(caller: Caller) -> None:
    await caller.connect()
    await caller.stay_silent(4)
    await caller.hang_up()


async def stays_for_six_seconds(caller: Caller) -> None:
    await caller.connect()
    await caller.stay_silent(6)
    await caller.hang_up()


async def speaks_muted(caller: Caller) -> None:
    await caller.connect()
    caller.mute()
    await caller.say("en-f-order")
    await caller.stay_silent(0.5)
    await caller.hang_up()


async def stays_long(caller: Caller) -> None:
    """Long enough to notice that nothing comes any more."""
    await caller.connect()
    await caller.stay_silent(15)
    await caller.hang_up()


async def talks_over_the_reply(caller: Caller) -> None:
    await caller.connect()
    await caller.say("en-m-yes")
    await caller.interrupt("en-f-wait")
    await caller.hang_up()


async def hums_over_the_reply(caller: Caller) -> None:
    """In a session in which speech does not interrupt."""
    await caller.connect()
    detection = {"type": "server_vad", "interrupt_response": False}
    await caller.update_session(audio={"input": {"turn_detection": detection}})
    await caller.say("en-m-yes")
    await caller.interrupt("en-m-hum")
    await caller.hang_up()


async def presses_keys_over_the_reply(caller: Caller) -> None:
    """No word is said meanwhile."""
    await caller.connect()
    await caller.say("en-m-yes")
    await caller.interrupt("dtmf")
    await caller.hang_up()


async def updates_wrongly(caller: Caller) -> None:
    await caller.connect()
    await caller.probe.update_wrongly()
    await caller.hang_up()


async def climbs_updates(caller: Caller) -> None:
    await caller.connect()
    await caller.probe.climb_updates()
    await caller.hang_up()


async def asks_as_a_page_does(caller: Caller) -> None:
    await caller.probe.preflight()
    await caller.connect()
    await caller.hang_up()


async def is_asked_for_from_elsewhere(caller: Caller) -> None:
    await caller.probe.preflight_from_elsewhere()
    await caller.hang_up()


async def sends_bad_offers(caller: Caller) -> None:
    await caller.probe.send_bad_offers()
    await caller.hang_up()


async def meets_a_failing_upstream(caller: Caller) -> None:
    await caller.probe.offer_while_upstream_fails()
    await caller.hang_up()


async def comes_without_credentials(caller: Caller) -> None:
    await caller.probe.offer_without_credentials()
    await caller.hang_up()


async def brings_a_session(caller: Caller) -> None:
    await caller.probe.offer_with_session()
    await caller.hang_up()


async def goes_beyond_bounds(caller: Caller) -> None:
    await caller.probe.offer_beyond_bounds()
    await caller.hang_up()


async def abandons_an_offer(caller: Caller) -> None:
    await caller.probe.abandon_offer()
    await caller.hang_up()


async def has_calls_beside(caller: Caller) -> None:
    await caller.probe.call_beside()
    await caller.hang_up()


async def has_more_calls_than_allowed(caller: Caller) -> None:
    await has_calls_beside(caller)


async def outstays(caller: Caller) -> None:
    await caller.connect()
    await caller.probe.outstay()
    await caller.hang_up()


async def asks_for_ice_servers_openly(caller: Caller) -> None:
    await caller.probe.ice_servers_without_credentials()
    await caller.hang_up()


async def asks_for_what_a_tool_knows(caller: Caller) -> None:
    """The session has a tool that has to be called; the caller's page runs it and asks for the reply."""
    await caller.connect()
    order = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
    look_up = {
        "type": "function",
        "name": "look_up",
        "description": "Where an order is.",
        "parameters": order,
    }
    await caller.update_session(tools=[look_up], tool_choice="required")
    await caller.say("en-m-yes")
    done = await caller.wait_for("response.done", within=caller.line.timeouts.turn)
    for call in tables(done.event, "response", "output"):
        output = {"type": "function_call_output", "call_id": text(call, "call_id"), "output": "tomorrow"}
        caller.send({"type": "conversation.item.create", "item": output})
    caller.send({"type": "response.create", "response": {"tool_choice": "none"}})
    await caller.hear_reply()
    await caller.hang_up()
