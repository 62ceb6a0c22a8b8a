"""Faults of the fake's audio: one turn in each of many calls side by side, then each is judged."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from itertools import pairwise

import pytest

from harness.core.audio import AUDIBLE_DBFS
from harness.core.events import Packet
from harness.fakes.openai.faults import OPENAI_FAULTS
from harness.fakes.openai.faults.sound import GarbledAudio
from harness.speech.marks import call_mark, read_mark
from tests.fakes.callers import Served, calling, new_caller, quick, serving

PLANTED: dict[str, object] = {
    "no-audio": True,
    "silent-audio": True,
    "clipped-audio": True,
    "truncated-audio": 0.4,
    "garbled-audio": 200,
    "audio-gaps": 300,
    "cross-talk": True,
    "packet-loss": 30,
    "jitter": 120,
    "audio-bursts": 200,
    "quiet-audio": 45,
    "first-words-lost": 600,
    "noise-between-replies": 35,
}


@dataclass(frozen=True)
class Turn:
    """What one call heard, from its first packet to the reply's end; `mark` is the mark that was in it.

    Between replies the fake sends silence, so what is loud is the reply, whenever its events were read.
    """

    packets: list[Packet]
    own_mark: int
    mark: int | None

    @property
    def loud(self) -> list[Packet]:
        return [packet for packet in self.packets if (packet.dbfs or -96.0) >= AUDIBLE_DBFS]

    @property
    def gaps(self) -> list[float]:
        """Seconds between packets, from the first loud one to the last."""
        first, last = self.loud[0].at, self.loud[-1].at
        return [b.at - a.at for a, b in pairwise(self.packets) if first <= a.at and b.at <= last]


async def one_turn(served: Served, fault: str) -> Turn:
    async with calling(served, fault={fault: PLANTED[fault]} if fault else None) as caller:
        await caller.event("session.created")
        await caller.say()
        await caller.event("output_audio_buffer.started", within=20)
        await caller.event("output_audio_buffer.stopped", within=20)
        return Turn(
            packets=caller.heard(),
            own_mark=call_mark(caller.peer.ufrag),
            mark=read_mark(caller.peer.heard.samples()),
        )


async def all_turns() -> dict[str, Turn]:
    async with serving(quick()) as served:
        names = ["", *PLANTED]
        return dict(zip(names, await asyncio.gather(*(one_turn(served, n) for n in names)), strict=True))


@pytest.fixture(scope="module")
def turns() -> dict[str, Turn]:
    return asyncio.run(all_turns())


def test_every_audio_fault_is_planted() -> None:
    """A fault without a test is a fault that may do nothing."""
    assert {fault.name for fault in OPENAI_FAULTS if fault.stage == "audio"} == set(PLANTED)


def test_without_a_fault_the_reply_is_whole_and_ones_own(turns: dict[str, Turn]) -> None:
    """1.5 s of the call's own tone at an even pace, and nothing lost."""
    turn = turns[""]
    assert 1400 <= len(turn.loud) * 20 <= 1600
    assert turn.mark == turn.own_mark
    assert [b.sequence - a.sequence for a, b in pairwise(turn.packets)].count(1) == len(turn.packets) - 1


def test_no_audio_sends_no_packet(turns: dict[str, Turn]) -> None:
    """Neither speech nor silence."""
    assert turns["no-audio"].packets == []


def test_silent_audio_sends_packets_without_sound(turns: dict[str, Turn]) -> None:
    """As many as a reply has."""
    assert len(turns["silent-audio"].packets) >= 70
    assert turns["silent-audio"].loud == []


def test_noise_between_replies_is_heard_while_nothing_is_said(turns: dict[str, Turn]) -> None:
    """At its level, before the reply as well."""
    turn = turns["noise-between-replies"]
    begins = [p.dbfs for p in turn.packets[2:12] if p.dbfs is not None]  # the decoder has to settle
    assert len(turn.loud) > len(turns[""].loud)
    assert begins == pytest.approx([-35.0] * 10, abs=3.0)


def test_quiet_audio_sends_what_nobody_hears(turns: dict[str, Turn]) -> None:
    """Not silence either: a level that a meter shows."""
    levels = [p.dbfs for p in turns["quiet-audio"].packets if p.dbfs is not None]
    assert -80 < max(levels) < AUDIBLE_DBFS


def test_the_first_words_are_lost_and_the_rest_is_not(turns: dict[str, Turn]) -> None:
    """600 ms of 1.5 s."""
    assert 800 <= len(turns["first-words-lost"].loud) * 20 <= 1000


def test_clipped_audio_is_at_full_scale(turns: dict[str, Turn]) -> None:
    """Enough samples at full scale to be heard as distortion."""
    loud = turns["clipped-audio"].loud
    assert sum(p.clipped for p in loud) / len(loud) > 0.02
    assert sum(p.clipped for p in turns[""].loud) == 0


def test_truncated_audio_ends_early(turns: dict[str, Turn]) -> None:
    """The value is the part that is played."""
    assert 500 <= len(turns["truncated-audio"].loud) * 20 <= 700


def test_garbled_audio_has_the_length_and_not_the_order(turns: dict[str, Turn]) -> None:
    """All packets are there, none far from its place, few in it."""
    assert 1300 <= len(turns["garbled-audio"].loud) * 20 <= 1600
    packets = [b"%d" % i for i in range(75)]
    unit = GarbledAudio(200, random.Random(1))
    places = [packets.index(p) for p in unit.packets(packets, "abcd") if p is not None]
    moved = [abs(place - i) for i, place in enumerate(places)]
    assert sorted(places) == list(range(75))
    assert max(moved) < 10
    assert moved.count(0) < 25


def test_gaps_stall_a_reply(turns: dict[str, Turn]) -> None:
    """A second of sound, then a hole of the given length."""
    assert max(turns["audio-gaps"].gaps) > 0.2


def test_cross_talk_plays_another_calls_mark(turns: dict[str, Turn]) -> None:
    """The mark tells whose audio it is."""
    turn = turns["cross-talk"]
    assert turn.mark not in (None, turn.own_mark)


def test_packet_loss_leaves_holes_in_the_sequence(turns: dict[str, Turn]) -> None:
    """Sequence numbers go on, so that the receiver can count what is missing."""
    sequences = [p.sequence for p in turns["packet-loss"].packets]
    assert 0.1 < 1 - len(sequences) / (sequences[-1] - sequences[0] + 1) < 0.5


def test_jitter_disturbs_arrival(turns: dict[str, Turn]) -> None:
    """Packets come, at times that vary by tens of ms."""
    deviations = [abs(gap - 0.02) for gap in turns["jitter"].gaps]
    assert sum(deviations) / len(deviations) > 0.01


def test_bursts_keep_all_packets_and_lose_the_pace(turns: dict[str, Turn]) -> None:
    """Several packets at once, then nothing for a while."""
    gaps = turns["audio-bursts"].gaps
    assert max(gaps) > 0.15
    assert sum(gap < 0.005 for gap in gaps) > len(gaps) / 2


async def test_a_planted_fault_waits_for_its_own_call(served: Served) -> None:
    """Nobody else's audio is touched."""
    async with new_caller() as planned:
        await served.post("/_fake/faults", json=[{"name": "no-audio", "ufrag": planned.peer.ufrag}])
        async with calling(served) as other:
            await other.event("session.created")
            assert served.records[0].faults == {}
