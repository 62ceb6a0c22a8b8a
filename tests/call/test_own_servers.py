"""What we serve ends: calls under way are cut short and say so, and no other is placed."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from harness.call import Caller, Scenario
from harness.call.conduct import make_call, make_calls
from harness.call.context import CallContext
from harness.call.own_servers import DOUBT_SECONDS, OwnServerEndedError, OwnServers
from harness.config.run import run_settings
from harness.core.clock import ManualClock
from harness.core.events import CallEnded, CallWithheld, HarnessFailed, UpstreamUnavailable
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.requirements import REGISTRY, Outcome, judge

WHY = "the embedded pair was killed (signal 9): is there memory enough?"


class Server:
    problem = ""


async def watching(*servers: Server) -> tuple[OwnServers, list[str]]:
    told: list[str] = []
    own = OwnServers(told.append)
    for server in servers:
        own.add(server)
    return own, told


async def test_it_is_told_once_with_when_it_last_ran() -> None:
    clock = ManualClock()
    told: list[str] = []
    lost: list[tuple[str, float]] = []
    server, other = Server(), Server()
    own = OwnServers(told.append, clock)
    own.add(server)
    own.add(other)
    own.listen(lambda why, at: lost.append((why, at)))
    clock.advance(5)
    await own.settle(doubt=False)
    clock.advance(2)
    other.problem = server.problem = "it ended"
    for _ in range(2):
        await own.settle(doubt=False)
    assert (own.problem, told, lost) == ("it ended", ["it ended"], [("it ended", 5.0)])
    own.listen(lambda why, at: lost.append((why, at)))
    assert lost[1:] == [("it ended", 5.0)], "a call that begins later learns of it too"
    assert await own.ended() == "it ended"


async def test_what_needs_it_is_cut_short_and_nothing_else_is() -> None:
    server = Server()
    own, _ = await watching(server)
    loop = asyncio.get_running_loop()
    async with own.needed():
        pass
    with pytest.raises(TimeoutError):
        async with own.needed():
            raise TimeoutError
    watch = asyncio.create_task(own.watch())
    loop.call_later(0.05, setattr, server, "problem", "it ended")
    with pytest.raises(OwnServerEndedError, match="it ended"):
        async with asyncio.timeout(10), own.needed():
            await asyncio.sleep(60)
    await watch
    with pytest.raises(OwnServerEndedError, match="it ended"):
        async with own.needed():
            await asyncio.sleep(60)


async def test_where_something_did_not_answer_it_is_waited_for() -> None:
    server = Server()
    own, told = await watching(server)
    asyncio.get_running_loop().call_later(DOUBT_SECONDS / 10, setattr, server, "problem", "it ended")
    await own.settle(doubt=False)
    assert told == []
    await own.settle(doubt=True)
    assert told == ["it ended"]


async def test_without_a_server_of_ours_nothing_is_waited_for() -> None:
    own, _ = await watching()
    async with asyncio.timeout(DOUBT_SECONDS / 2):
        await own.settle(doubt=True)


async def waits_long(caller: Caller) -> None:
    await caller.connect()
    await asyncio.sleep(60)


async def test_a_call_under_way_is_cut_short_and_no_other_is_placed() -> None:
    told: list[str] = []
    planned = Scenario("waits_long", "A call of this test.", waits_long, ("turns",))
    pair = EmbeddedPair(EmbeddedOptions(vad="webrtc", voice="mark"))
    async with CallContext.open(run_settings(), lambda _settings: pair, told.append) as context:
        process = int((await context.client.get(f"{pair.fake}/_fake/health")).json()["process"])
        async with asyncio.timeout(30):
            call = asyncio.create_task(make_call(context, planned, call="1"))
            await asyncio.sleep(1)
            os.kill(process, signal.SIGKILL)
            made = await call
            (withheld,) = await make_calls(context, [planned], concurrency=1)
    assert told == [f"no further call is made: {WHY}"]
    failed, ended = made.timeline.first(HarnessFailed), made.timeline.last(CallEnded)
    assert failed is not None
    assert ended is not None
    assert (failed.error, ended.reason) == (WHY, "the harness failed")
    unavailable = made.timeline.first(UpstreamUnavailable)
    assert unavailable is not None
    assert unavailable.reason == WHY
    outcomes = {(v.outcome, v.explanation) for v in judge([made.timeline], REGISTRY)}
    assert {why for outcome, why in outcomes if outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE)} == {
        f"the harness broke: {WHY}"
    }
    assert not [outcome for outcome, _ in outcomes if outcome == Outcome.FAILED]
    assert withheld.timeline.first(CallWithheld) is not None
