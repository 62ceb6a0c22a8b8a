"""The fake's WebRTC end, over loopback with our own peer at the other."""

from __future__ import annotations

import asyncio

import pytest

from harness.core.audio import AUDIBLE_DBFS
from harness.core.audio_format import FRAME_SAMPLES
from harness.core.events import (
    AudioPlayed,
    ClientEvent,
    HarnessFailed,
    HearingStarted,
    SendingStarted,
    ServerEvent,
    StateChanged,
)
from harness.core.probes import SESSION_EXPIRED
from harness.core.sdp import parse_sdp
from harness.fakes.openai.media.peer import FakePeer
from harness.fakes.openai.media.playout import PacketPlayout
from harness.speech.library import load_library
from tests.fakes.callers import CALLS, SESSION, Served, calling, new_caller, quick, serving, until


async def test_a_call_connects_and_the_session_is_announced(served: Served) -> None:
    """Every stage must be reached at both ends, and session.created come first."""
    async with calling(served, SESSION) as caller:
        created = await caller.event("session.created")
        assert created.event is not None
        assert created.event["session"]["model"] == "gpt-realtime-2.1"
        [record] = served.records
        for layer in ("ice", "dtls", "sctp"):
            assert record.timeline.state(layer, "connected", side="upstream"), layer
        assert record.ufrag == caller.peer.ufrag
    await until(record.timeline, lambda: record.state == "ended")
    assert record.reason == "hang-up"


async def test_a_spoken_turn_is_answered_with_sound(served: Served) -> None:
    """What the caller says must be detected, transcribed by fixture, and answered audibly."""
    config = {**SESSION, "audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}}}
    async with calling(served, config) as caller:
        await caller.event("session.created")
        await caller.say("en-m-yes")
        transcribed = await caller.event("conversation.item.input_audio_transcription.completed")
        await caller.event("output_audio_buffer.stopped")
        assert transcribed.event is not None
        assert transcribed.event["transcript"] == load_library().clip("en-m-yes").transcript
        loud = [packet for packet in caller.heard() if (packet.dbfs or -96.0) > AUDIBLE_DBFS]
        assert 1400 <= len(loud) * 20 <= 1600
        [record] = served.records
        [played] = record.timeline.all(AudioPlayed, side="upstream")
        assert (played.duration_ms, played.played_ms) == (1500, 1500)
        began = caller.timeline.first(SendingStarted)
        [taken] = record.timeline.all(HearingStarted, side="upstream")
        assert began is not None
        assert taken.ssrc == began.ssrc
        assert ((taken.timestamp - (began.timestamp or 0)) & 0xFFFFFFFF) % FRAME_SAMPLES == 0


async def test_silence_flows_between_replies(served: Served) -> None:
    """A real server sends without a pause, so a caller can tell silence from a dead line."""
    async with calling(served) as caller:
        await caller.event("session.created")
        first = len(caller.heard())
        await until(caller.timeline, lambda: len(caller.heard()) > first + 20 or None)
        assert all((packet.dbfs or -96.0) < AUDIBLE_DBFS for packet in caller.heard())


async def test_both_ends_record_the_same_events(served: Served) -> None:
    """The upstream's view is what a grey-box judgement rests on."""
    async with calling(served) as caller:
        await caller.event("session.created")
        caller.peer.send({"type": "session.update", "session": {"type": "realtime", "instructions": "Hi."}})
        await caller.event("session.updated")
        [record] = served.records
        assert [e.event for e in record.timeline.all(ClientEvent, side="upstream")] == [
            e.event for e in caller.timeline.all(ClientEvent)
        ]
        assert [e.type for e in record.timeline.all(ServerEvent, side="upstream")] == [
            e.type for e in caller.timeline.all(ServerEvent)
        ]


async def test_the_answer_looks_like_the_real_one(served: Served) -> None:
    """Sections mirror the offer; the server is the active end and sends its one track."""
    async with new_caller() as caller:
        response = await served.post(CALLS, files={"sdp": (None, caller.offer, "application/sdp")})
        answer = parse_sdp(response.text)
        audio, data = answer.sections
        assert [(s.kind, s.mid) for s in answer.sections] == [("audio", "0"), ("application", "1")]
        assert audio.setup == data.setup == "active"
        assert (audio.direction, audio.attribute("msid")) == ("sendrecv", "realtimeapi audio")
        assert [(c.name, c.parameters) for c in audio.codecs] == [("opus", "minptime=10;useinbandfec=1")]
        assert audio.candidates
        assert data.sctp_port == 5000
        assert response.headers["location"] == f"{CALLS}/{served.records[0].id}"


async def test_an_answer_that_is_never_used_is_released() -> None:
    """Nobody must pay for a call that never connected."""
    async with serving(quick(connect_seconds=0.3)) as served, new_caller() as caller:
        await served.post(CALLS, files={"sdp": (None, caller.offer, "application/sdp")})
        [record] = served.records
        await until(record.timeline, lambda: record.state == "ended")
        assert record.reason == "never-connected"


async def test_an_offer_without_candidates_connects(served: Served) -> None:
    """The server learns the caller's address from the caller's own checks."""
    async with new_caller() as caller:
        bare = "".join(
            line for line in caller.offer.splitlines(keepends=True) if not line.startswith("a=candidate")
        )
        response = await served.post(CALLS, files={"sdp": (None, bare, "application/sdp")})
        caller.accept(response.text)
        await caller.event("session.created")


async def test_calls_side_by_side_keep_apart(served: Served) -> None:
    """Each call's events go to its own caller."""

    async def one(text: str) -> None:
        async with calling(served) as caller:
            await caller.event("session.created")
            session = {"type": "realtime", "instructions": text}
            caller.peer.send({"type": "session.update", "session": session})
            updated = await caller.event("session.updated")
            assert updated.event is not None
            assert updated.event["session"]["instructions"] == text

    await asyncio.gather(*(one(f"call {i}") for i in range(5)))
    for record in served.records:
        await until(record.timeline, lambda record=record: record.state == "ended")  # type: ignore[misc]  # bound now


async def test_stopping_the_server_ends_its_calls_with_a_goodbye() -> None:
    """The caller must not be left to find out by itself."""
    async with serving() as served, calling(served) as caller:
        await caller.event("session.created")
        await served.post("/_fake/reset")
        await caller.state("dtls", "closed")
        assert caller.timeline.first(StateChanged, where=lambda e: e.layer == "dtls") is not None
        assert served.records == []


async def test_an_expired_session_says_so_before_it_closes() -> None:
    """The error must not be lost in the closing of the channel."""
    settings = quick(conversation={"session_seconds": 0.4})
    async with serving(settings) as served, calling(served) as caller:
        refused = await caller.event("error")
        assert refused.event is not None
        assert refused.event["error"]["code"] == "session_expired"
        await caller.state("dtls", "closed")
        assert SESSION_EXPIRED in served.records[0].reason


async def test_a_reply_that_cannot_be_sent_is_our_failure_and_releases_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_playout: PacketPlayout) -> bytes:
        raise RuntimeError("planted")

    monkeypatch.setattr(PacketPlayout, "next_packet", broken)
    async with serving(quick()) as served, calling(served):
        [record] = served.records
        await until(record.timeline, lambda: record.state == "ended")
    failed = record.timeline.first(HarnessFailed, side="upstream")
    assert failed is not None
    assert (failed.where, record.reason) == ("sending audio", "internal-error")


async def test_a_call_that_ends_while_it_hears_hears_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the packets that are opened together, those behind the one that ended it."""
    heard: list[object] = []

    def ending(peer: FakePeer, *packet: object) -> None:
        heard.append(packet)
        peer.end("planted")

    monkeypatch.setattr(FakePeer, "_packet", ending)
    async with serving(quick(vad="webrtc")) as served, calling(served):
        [record] = served.records
        await until(record.timeline, lambda: record.state == "ended")
    assert len(heard) == 1
