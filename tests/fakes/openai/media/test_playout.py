"""The fake's loudspeaker, packet by packet."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from harness.fakes.openai.media.hooks import MediaFault
from harness.fakes.openai.media.playout import OutgoingReply, PacketPlayout
from harness.fakes.openai.speaking.replies import SpokenReply
from harness.speech.opus import SILENCE


def reply(count: int) -> SpokenReply:
    packets = tuple(b"packet %d" % i for i in range(count))
    return SpokenReply("clip", "words", count * 20, make_packets=lambda: packets)


class Log:
    """What a playout reported."""

    def __init__(self, *, idle: bool = True, faults: Sequence[MediaFault] = (), every: int = 1) -> None:
        self.progress: list[int] = []
        self.over: list[tuple[OutgoingReply, bool]] = []
        self.playout = PacketPlayout(
            call_name="abcd",
            idle=idle,
            faults=faults,
            on_progress=self.progress.append,
            on_over=lambda playing, whole: self.over.append((playing, whole)),
            progress_every=every,
        )


def test_a_reply_is_played_once_and_silence_follows() -> None:
    """Progress after each packet, the end after the last."""
    log = Log()
    log.playout.play("resp_1", reply(3))
    assert [log.playout.next_packet() for _ in range(5)] == [
        b"packet 0",
        b"packet 1",
        b"packet 2",
        SILENCE,
        SILENCE,
    ]
    assert log.progress == [20, 40, 60]
    [(playing, whole)] = log.over
    assert (playing.response_id, playing.played_ms, whole, playing.complete) == ("resp_1", 60, True, True)


def test_a_stopped_reply_says_how_far_it_got() -> None:
    """What was really played is what truncation goes by."""
    log = Log(idle=False)
    log.playout.play("resp_1", reply(3))
    log.playout.next_packet()
    log.playout.stop()
    assert log.playout.next_packet() is None
    [(playing, whole)] = log.over
    assert (playing.played_ms, whole) == (20, False)
    log.playout.stop()
    assert len(log.over) == 1


def test_a_new_reply_breaks_off_the_old_one() -> None:
    """There is one loudspeaker."""
    log = Log()
    log.playout.play("resp_1", reply(3))
    log.playout.play("resp_2", reply(1))
    assert log.playout.next_packet() == b"packet 0"
    assert [(playing.response_id, whole) for playing, whole in log.over] == [("resp_1", False)]


def test_a_fault_decides_what_is_played() -> None:
    """Packets of a reply, and of silence."""

    class Second(MediaFault):
        def packets(self, packets: Sequence[bytes], call_name: str) -> Sequence[bytes | None]:
            assert call_name == "abcd"
            return [None, packets[1]]

        def idle_packet(self, packet: bytes) -> bytes | None:
            assert packet == SILENCE
            return None

    log = Log(faults=[Second(True, random.Random(1))])
    log.playout.play("resp_1", reply(3))
    assert [log.playout.next_packet() for _ in range(3)] == [None, b"packet 1", None]
    assert not log.over[0][0].complete


def test_progress_is_told_by_so_many_packets_and_after_the_last() -> None:
    log = Log(every=3)
    log.playout.play("resp_1", reply(7))
    for _ in range(9):
        log.playout.next_packet()
    assert log.progress == [60, 120, 140]


@pytest.mark.parametrize("every", [1, 2, 5])
@pytest.mark.parametrize("length", range(1, 13))
def test_nothing_is_told_after_the_first_of_the_packets_that_are_foreseen(every: int, length: int) -> None:
    """So they can be made ready ahead, and what is told still comes when it is so."""
    log = Log(every=every)
    log.playout.play("resp_1", reply(length))
    packets: list[bytes | None] = []
    while not log.over:
        foreseen = log.playout.foreseen()
        packets.append(log.playout.next_packet())
        told = list(log.progress)
        packets += [log.playout.next_packet() for _ in range(foreseen - 1)]
        assert log.progress == told
    assert packets == [b"packet %d" % i for i in range(length)] + [SILENCE]
