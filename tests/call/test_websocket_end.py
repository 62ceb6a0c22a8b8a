"""Calls over a WebSocket, through the reference relay to the fake."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from websockets.utils import accept_key

from harness.call import Caller, Scenario
from harness.call.conduct import CallRecord, make_call
from harness.call.context import CallContext, StartPair
from harness.config.run import run_settings
from harness.core.events import (
    ClientEvent,
    HarnessFailed,
    HttpRequest,
    HttpResponse,
    PlayoutCleared,
    SendingStarted,
    ServerEvent,
    SocketClosed,
    SocketMeasured,
    StepEnded,
    StretchHeard,
    VerbUnavailable,
)
from harness.core.timeline import Timeline
from harness.core.turns import replies
from harness.fakes.embedded import EmbeddedPair
from harness.requirements import REGISTRY, Outcome, judge


@pytest.fixture
async def sockets(start_pair: StartPair) -> AsyncIterator[CallContext]:
    async with CallContext.open(run_settings(seed=3, caller="websocket"), start_pair) as opened:
        yield opened


async def made(context: CallContext, plan: object, *, light: bool = False) -> CallRecord:
    scenario = Scenario("planned", "A call of this test.", plan, ("turns",))  # type: ignore[arg-type]  # any plan
    return await make_call(context, scenario, call="001", light=light)


def found(timeline: Timeline) -> list[str]:
    bad = (Outcome.FAILED, Outcome.WARNED, Outcome.ERROR)
    return [f"{v.id}: {v.explanation}" for v in judge([timeline], REGISTRY) if v.outcome in bad]


async def test_a_caller_is_heard_answered_and_may_interrupt(sockets: CallContext) -> None:
    async def talks(caller: Caller) -> None:
        await caller.connect()
        await caller.update_session(instructions="Be brief.")
        caller.mute()
        await caller.stay_silent(0.2)
        caller.unmute()
        await caller.say("en-m-yes")
        await caller.interrupt("en-f-wait")
        await caller.hear_reply()
        await caller.hang_up()

    record = await made(sockets, talks)
    timeline = record.timeline
    assert found(timeline) == []
    # Both ends on one timeline, by the call's name.
    assert timeline.server_events("session.created", side="upstream")
    asked = timeline.all(HttpRequest, side=None, where=lambda e: e.purpose == "upgrade")
    assert [e.side for e in asked] == ["caller", "upstream"]
    assert [e.status for e in timeline.all(HttpResponse, side=None)] == [101, 101]
    # What was cut off was told to the server, with what had been heard of it.
    (cut,) = timeline.all(PlayoutCleared)
    (truncate,) = timeline.client_events("conversation.item.truncate")
    assert truncate.event["audio_end_ms"] == cut.played_ms
    assert timeline.server_events("conversation.item.truncated")
    first, second = replies(timeline)[-2:]
    assert first.interrupted
    assert first.last_audible is not None
    assert first.last_audible <= cut.at + 0.05
    assert second.audible_seconds > 1
    # No audio in the record, and the recording beside it.
    assert all(len(str(e.event)) < 5000 for e in timeline.all(ServerEvent))
    assert record.audio.size > 48_000
    (closed,) = timeline.all(SocketClosed)
    assert (closed.by, closed.code) == ("caller", 1000)
    (measured,) = timeline.all(SocketMeasured)
    assert measured.pongs >= 1
    assert measured.pings >= 1
    assert measured.bytes_sent > 100_000


async def test_a_light_call_keeps_stretches_and_is_judged_alike(sockets: CallContext) -> None:
    async def turn(caller: Caller) -> None:
        await caller.connect()
        await caller.say("en-m-yes")
        await caller.hear_reply()
        await caller.hang_up()

    timeline = (await made(sockets, turn, light=True)).timeline
    assert any(s.audible for s in timeline.all(StretchHeard))
    assert not timeline.packets()
    assert found(timeline) == []


async def test_who_sends_nothing_sends_no_audio(sockets: CallContext) -> None:
    async def quiet(caller: Caller) -> None:
        await caller.connect()
        caller.stop_sending()
        await caller.stay_silent(0.5)
        caller.resume_sending()
        await caller.stay_silent(0.3)
        await caller.drop()

    timeline = (await made(sockets, quiet)).timeline
    (closed,) = timeline.all(SocketClosed)
    assert (closed.by, closed.code) == ("caller", 1006)
    (measured,) = timeline.all(SocketMeasured)
    assert measured.sent < 20  # of 40 ms each
    assert timeline.first(SendingStarted) is not None
    assert found(timeline) == []


@pytest.mark.parametrize("verb", ["bad offers", "blackout", "rebind", "restart ICE"])
async def test_what_a_websocket_has_not_makes_the_call_not_applicable(
    sockets: CallContext, verb: str
) -> None:
    async def asks_too_much(caller: Caller) -> None:
        match verb:
            case "bad offers":
                await caller.probe.send_bad_offers()
            case "blackout":
                caller.network.blackout(1)
            case "rebind":
                await caller.network.rebind()
            case _:
                await caller.reconnect.restart_ice()

    timeline = (await made(sockets, asks_too_much)).timeline
    assert timeline.first(VerbUnavailable) is not None
    assert {v.outcome for v in judge([timeline], REGISTRY)} == {Outcome.NOT_APPLICABLE}
    assert not [e for e in timeline.all(StepEnded) if e.failed]


async def test_an_event_that_cannot_be_sent_any_more_ends_the_plan(sockets: CallContext) -> None:
    async def too_late(caller: Caller) -> None:
        await caller.connect()
        await caller.hang_up()
        caller.send({"type": "response.create"})

    timeline = (await made(sockets, too_late)).timeline
    assert not timeline.all(ClientEvent)
    assert found(timeline) == []


async def test_the_relay_may_be_restarted_and_the_caller_comes_back(sockets: CallContext) -> None:
    async def comes_back(caller: Caller) -> None:
        await caller.connect()
        await caller.reconnect.make_another_call()
        await caller.say("en-m-yes")
        await caller.hear_reply()
        await caller.hang_up()

    record = await made(sockets, comes_back)
    (followed,) = record.followed_by
    assert replies(followed.timeline)
    assert found(record.timeline) == found(followed.timeline) == []


async def test_a_relay_that_takes_nothing_more_does_not_keep_the_caller_from_hanging_up() -> None:
    done = asyncio.Event()

    async def stops_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        (key,) = re.findall(r"(?im)^sec-websocket-key: (\S+)", head)
        created = b'{"type": "session.created", "session": {}}'
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: "
            + accept_key(key).encode()
            + b"\r\n\r\n\x81"
            + bytes([len(created)])
            + created
        )
        await done.wait()
        writer.transport.abort()

    async def says_much(caller: Caller) -> None:
        await caller.connect()
        caller.send({"type": "conversation.item.create", "item": {"much": "x" * 16_000_000}})
        await caller.hang_up()

    server = await asyncio.start_server(stops_reading, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, CallContext.open(run_settings(target=url, seed=3), EmbeddedPair.for_run) as context:
        async with asyncio.timeout(30):  # it waited for as long as the relay did
            record = await made(context, says_much, light=True)
        done.set()
    (closed,) = record.timeline.all(SocketClosed)
    assert closed.by == "caller"
    assert record.timeline.all(HarnessFailed) == []
