from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from harness.core.audio_format import FRAME_SAMPLES, RATE
from harness.core.caller_end import ChannelClosedError, SdpUnusableError
from harness.core.clock import MonotonicClock, RelativeClock
from harness.core.events import (
    CandidateFound,
    ChecksCounted,
    ClientEvent,
    HarnessFailed,
    OfferCreated,
    OtherCodecHeard,
    PacingMeasured,
    PacketsReceived,
    PairSelected,
    SendingStarted,
    ServerEvent,
    StateChanged,
)
from harness.core.sdp import parse_sdp
from harness.core.timeline import Timeline
from harness.fakes.openai.media.answer import write_answer
from harness.peer.peer import Peer
from harness.peer.remote import Remote
from harness.peer.sender import AudioSender
from harness.peer.source import Microphone
from harness.speech import opus
from tests.peer.pairs import LOOPBACK, End, new_end, until

pytestmark = pytest.mark.usefixtures("packet_path")  # with both

G711 = ("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:13 CN/8000\r\n")


def new_peer() -> tuple[Peer, Timeline]:
    timeline = Timeline()
    peer = Peer(
        record=timeline.append,
        clock=RelativeClock(MonotonicClock()),
        microphone=Microphone([opus.SILENCE]),
        new_decoder=lambda: opus.Decoder().decode,
        addresses=LOOPBACK,
    )
    return peer, timeline


@asynccontextmanager
async def call(change: Callable[[str], str] = str) -> AsyncIterator[tuple[Peer, Timeline, End]]:
    """A peer in a call with a bare transport, whose answer is changed on its way."""
    peer, timeline = new_peer()
    callee = new_end(controlling=False)
    offer = parse_sdp(await peer.create_offer())
    await callee.transport.gather()
    answer = write_answer(offer, callee.transport, ssrc=9)
    connecting = asyncio.create_task(callee.transport.connect(Remote.from_sdp(offer).answered("active")))
    try:
        peer.accept_answer(change(answer), ice_seconds=5, dtls_seconds=5)
        await until(lambda: peer.channel_state == "open" and callee.channels)
        yield peer, timeline, callee
    finally:
        await peer.close()
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await callee.transport.close()


async def test_the_data_channel_and_audio_are_in_the_offer_because_they_came_before_it() -> None:
    peer, timeline = new_peer()
    offer = parse_sdp(await peer.create_offer())
    await peer.close()
    assert [s.kind for s in offer.sections] == ["audio", "application"]
    gathered = timeline.state("gathering", "complete")
    created = timeline.first(OfferCreated)
    assert gathered is not None
    assert created is not None
    assert gathered.at <= created.at
    assert [c.type for c in timeline.all(CandidateFound)] == ["host"]
    assert offer.ice_ufrag == peer.ufrag


async def test_every_stage_of_a_call_is_recorded_in_order() -> None:
    async with call() as (peer, timeline, _callee):
        assert peer.channel_state == "open"
    reached = [(e.layer, e.state) for e in timeline.all(StateChanged)]
    order = [("ice", "connected"), ("dtls", "connected"), ("sctp", "connected"), ("channel", "open")]
    assert [entry for entry in reached if entry in order] == order
    assert timeline.first(PairSelected) is not None
    counted = timeline.first(ChecksCounted)
    assert counted is not None
    assert counted.answered > 0


async def test_silence_flows_from_the_start_and_its_pacing_is_measured() -> None:
    async with call() as (_peer, timeline, callee):
        arrived: list[bytes] = []
        callee.transport.on_rtp = lambda packet, _at: arrived.append(packet)
        await until(lambda: len(arrived) > 10)
    began = timeline.first(SendingStarted)
    assert began is not None
    assert began.timestamp is not None
    since = (int.from_bytes(arrived[0][4:8]) - began.timestamp) & 0xFFFFFFFF
    assert since % FRAME_SAMPLES == 0
    assert since < 60 * RATE, "some packets may have gone before this test listened"
    measured = timeline.first(PacingMeasured)
    assert measured is not None
    assert measured.packets >= 10


async def test_events_both_ways_are_recorded_and_what_is_no_json_too() -> None:
    async with call() as (peer, timeline, callee):
        got: list[str | bytes] = []
        callee.channels[0].on_message = got.append
        peer.send({"type": "response.create"})
        callee.channels[0].send('{"type": "session.created"}')
        callee.channels[0].send("no JSON")
        await until(lambda: got and len(timeline.all(ServerEvent)) == 2)
    assert [e.type for e in timeline.all(ClientEvent)] == ["response.create"]
    created, broken = timeline.all(ServerEvent)
    assert (created.type, created.size) == ("session.created", 27)
    assert (broken.event, broken.raw) == (None, "no JSON")


async def test_a_microphone_that_fails_is_our_failure_and_said_in_the_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with call() as (peer, timeline, _callee):

        def broken() -> bytes:
            raise RuntimeError("planted")

        monkeypatch.setattr(peer.microphone, "next_packet", broken)
        await until(lambda: timeline.all(HarnessFailed))
    [failed] = timeline.all(HarnessFailed)
    assert (failed.where, failed.error) == ("sending audio", "RuntimeError('planted')")


async def test_received_audio_is_recorded_with_levels_and_placed_in_time() -> None:
    async with call() as (peer, timeline, callee):
        sender = AudioSender(callee.transport, Microphone(opus.comfort_noise()), ssrc=9)
        sender.start()
        await until(lambda: peer.counted()[1] >= 60)
        sender.stop()
    packets = timeline.packets()
    assert len(packets) >= 60
    assert all(len(batch.packets) <= 50 for batch in timeline.all(PacketsReceived))
    assert all(p.dbfs is not None for p in packets)
    # Where the first packet and its timestamp say that the last one belongs; a late one is not moved.
    first, last = packets[0], packets[-1]
    due = first.at + ((last.timestamp - first.timestamp) & 0xFFFFFFFF) / 48_000
    seconds = peer.heard.samples().size / 48_000 - 0.02
    assert min(due, last.at) - 0.1 <= seconds <= max(due, last.at) + 0.1


async def test_another_codec_than_opus_is_told_once_by_its_name_and_not_decoded() -> None:
    async with call(lambda answer: answer.replace(" 111\r\n", " 111 0 13\r\n").replace(*G711)) as ends:
        peer, timeline, callee = ends
        for payload_type in (0, 13):
            sender = AudioSender(
                callee.transport, Microphone([b"u-law"]), ssrc=9 + payload_type, payload_type=payload_type
            )
            before = peer.counted()[1]
            sender.start()
            await until(lambda enough=before + 3: peer.counted()[1] >= enough)
            sender.stop()
    (other,) = timeline.all(OtherCodecHeard)
    assert (other.payload_type, other.codec) == (0, "pcmu/8000")
    assert all(packet.dbfs is None for packet in timeline.packets())


async def test_an_answer_that_a_browser_refuses_is_refused_before_connecting() -> None:
    peer, timeline = new_peer()
    await peer.create_offer()
    with pytest.raises(SdpUnusableError, match="not SDP"):
        peer.accept_answer('{"error": {}}', ice_seconds=1, dtls_seconds=1)
    await peer.close()
    assert timeline.state("ice", "checking") is None


async def test_sending_before_the_channel_is_open_says_so() -> None:
    peer, _ = new_peer()
    with pytest.raises(ChannelClosedError, match="connecting"):
        peer.send({"type": "session.update"})
    await peer.close()


async def test_closing_twice_and_at_once_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with call() as (peer, _timeline, _callee):
        await asyncio.gather(peer.close(), peer.close())
    await until(lambda: asyncio.all_tasks() <= before)
