"""Faults of a call that got its answer: stuck stages, bad sound, bad endings."""

from __future__ import annotations

from itertools import pairwise

import pytest

from harness.core.audio import AUDIBLE_DBFS
from harness.core.events import Packet
from harness.fakes.openai.voices import call_mark
from harness.speech.marks import read_mark
from tests.fakes.callers import Caller, Served, calling, quick, serving, until


async def turn(served: Served, caller: Caller) -> list[Packet]:
    """One turn; the packets that came from the reply's start to its end."""
    await caller.event("session.created")
    await caller.say()
    started = await caller.event("output_audio_buffer.started")
    stopped = await caller.event("output_audio_buffer.stopped")
    assert served.records
    return [p for p in caller.heard() if started.at <= p.at <= stopped.at]


def loud(packets: list[Packet]) -> list[Packet]:
    return [packet for packet in packets if (packet.dbfs or -96.0) >= AUDIBLE_DBFS]


async def test_dtls_silent_leaves_ice_connected() -> None:
    """The caller sees ICE come up and then nothing."""
    async with serving(quick(faults=("dtls-silent",))) as served, calling(served) as caller:
        await caller.state("ice", "connected")
        await caller.state("dtls", "failed")
        assert caller.timeline.state("channel", "open") is None


async def test_sctp_silent_leaves_dtls_connected() -> None:
    """The data channel never opens; media flows."""
    async with serving(quick(faults=("sctp-silent",))) as served, calling(served) as caller:
        await caller.state("dtls", "connected")
        await until(caller.timeline, lambda: caller.heard() or None)
        assert caller.peer.channel_state == "connecting"


async def test_channel_late_opens_after_its_time() -> None:
    """The association is answered once the time is over."""
    async with serving(quick(faults=("channel-late=0.5",))) as served, calling(served) as caller:
        connected = await caller.state("dtls", "connected")
        opened = await caller.state("channel", "open", within=10)
        assert opened.at - connected.at >= 0.45


async def test_no_audio_sends_no_packet() -> None:
    """Neither speech nor silence."""
    async with serving(quick(faults=("no-audio",))) as served, calling(served) as caller:
        assert await turn(served, caller) == []
        assert caller.heard() == []


async def test_silent_audio_sends_packets_without_sound() -> None:
    """As many packets as a reply has, none of them audible."""
    async with serving(quick(faults=("silent-audio",))) as served, calling(served) as caller:
        packets = await turn(served, caller)
        assert len(packets) >= 70
        assert loud(packets) == []


async def test_clipped_audio_is_at_full_scale() -> None:
    """Enough samples at full scale to be heard as distortion."""
    async with serving(quick(faults=("clipped-audio",))) as served, calling(served) as caller:
        packets = loud(await turn(served, caller))
        assert sum(p.clipped for p in packets) / len(packets) > 0.02


async def test_truncated_audio_ends_early() -> None:
    """The value is the part that is played."""
    async with serving(quick(faults=("truncated-audio=0.4",))) as served, calling(served) as caller:
        assert 500 <= len(loud(await turn(served, caller))) * 20 <= 700


async def test_packet_loss_leaves_holes_in_the_sequence() -> None:
    """Sequence numbers go on, so that the receiver can count what is missing."""
    async with serving(quick(faults=("packet-loss=30",))) as served, calling(served) as caller:
        await turn(served, caller)
        sequences = [p.sequence for p in caller.heard()]
        expected = sequences[-1] - sequences[0] + 1
        assert 0.1 < 1 - len(sequences) / expected < 0.5


async def test_bursts_keep_all_packets_and_lose_the_pace() -> None:
    """Several packets at once, then nothing for a while."""
    async with serving(quick(faults=("audio-bursts=200",))) as served, calling(served) as caller:
        packets = await turn(served, caller)
        gaps = [b.at - a.at for a, b in pairwise(packets)]
        assert max(gaps) > 0.15
        assert sum(gap < 0.005 for gap in gaps) > len(gaps) / 2


async def test_jitter_disturbs_arrival() -> None:
    """Packets come, at times that vary by tens of ms."""
    async with serving(quick(faults=("jitter=120",))) as served, calling(served) as caller:
        packets = await turn(served, caller)
        gaps = [abs(b.at - a.at - 0.02) for a, b in pairwise(packets)]
        assert sum(gaps) / len(gaps) > 0.01


async def test_gaps_stall_a_reply() -> None:
    """A second of sound, then a hole of the given length."""
    async with serving(quick(faults=("audio-gaps=300",))) as served, calling(served) as caller:
        packets = await turn(served, caller)
        assert max(b.at - a.at for a, b in pairwise(packets)) > 0.28


@pytest.mark.parametrize(("faults", "own"), [((), True), (("cross-talk",), False)])
async def test_cross_talk_plays_another_calls_mark(*, faults: tuple[str, ...], own: bool) -> None:
    """The mark tells whose audio it is."""
    async with serving(quick(faults=faults)) as served, calling(served) as caller:
        await turn(served, caller)
        mark = read_mark(caller.peer.heard.samples())
        assert (mark == call_mark(caller.peer.ufrag)) is own


async def test_the_channel_closes_in_mid_call() -> None:
    """The media goes on."""
    async with serving(quick(faults=("channel-closed=0.1",))) as served, calling(served) as caller:
        await caller.state("channel", "closed")
        count = len(caller.heard())
        await until(caller.timeline, lambda: len(caller.heard()) > count or None)


async def test_a_peer_that_is_gone_says_nothing() -> None:
    """No close_notify, no abort: the caller's layers still believe in the call."""
    async with serving(quick(faults=("peer-gone=0.1",))) as served, calling(served) as caller:
        await caller.event("session.created")
        [record] = served.records
        await until(record.timeline, lambda: record.state == "ended")
        assert caller.timeline.state("dtls", "closed") is None
        assert caller.peer.channel_state == "open"


async def test_a_leaked_call_lives_on_after_hang_up() -> None:
    """Until the fake is reset or stopped."""
    async with serving(quick(faults=("call-leaked",))) as served:
        async with calling(served) as caller:
            await caller.event("session.created")
        [record] = served.records
        await until(record.timeline, lambda: record.timeline.state("dtls", "closed", side="upstream"))
        assert record.state == "live"
        await served.post("/_fake/reset")
        assert record.reason == "reset"
