"""One outgoing stream, frame by frame: the pacer's ticks are made by hand."""

from __future__ import annotations

import struct

import pytest
from aiortc.rtp import RtcpPacket, RtcpSrPacket

from harness.core.audio_format import FRAME_SAMPLES
from harness.peer.sender import REPORT_SECONDS, AudioSender
from harness.peer.source import Microphone, SpokenUtterance

SEAL = b"seal"
FRAME = 0.02


class Wire:
    """An outlet that keeps what is sent; `up` says whether there are keys."""

    def __init__(self, *, up: bool = True) -> None:
        self.up = up
        self.passes = True
        self.protected = 0
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []

    def protect_rtp(self, packet: bytes) -> bytes | None:
        self.protected += self.up
        return packet + SEAL if self.up else None

    def send_protected(self, datagram: bytes) -> bool:
        if self.passes:
            self.rtp.append(datagram.removesuffix(SEAL))
        return self.passes

    def send_rtcp(self, compound: bytes) -> bool:
        self.rtcp.append(compound)
        return True

    @property
    def payloads(self) -> list[bytes]:
        return [packet[12:] for packet in self.rtp]

    @property
    def headers(self) -> list[tuple[int, int, int]]:
        """Whether it is marked, sequence and timestamp of each packet."""
        fields = [struct.unpack_from("!xBHL", packet) for packet in self.rtp]
        return [(kind >> 7, sequence, timestamp) for kind, sequence, timestamp in fields]


def tick(sender: AudioSender, frames: int, since: int = 0) -> None:
    for frame in range(since, since + frames):
        sender.tick(100 + FRAME * frame)


async def test_the_far_end_cannot_tell_whether_frames_were_protected_ahead() -> None:
    sent = []
    for ahead in (1, 5):
        wire, microphone = Wire(), Microphone([b"quiet"])
        sender = AudioSender(wire, microphone, ssrc=7, ahead=ahead)
        sender._sequence, sender._timestamp = 0xFFFD, 0xFFFFFFFF - 2 * FRAME_SAMPLES  # both wrap
        microphone.say(SpokenUtterance([b"%d" % i for i in range(13)]))
        tick(sender, 30)
        sent.append(wire.rtp)
        assert wire.payloads == [b"%d" % i for i in range(13)] + [b"quiet"] * 17
        sequences = [sequence for _, sequence, _ in wire.headers]
        assert sequences == [(0xFFFD + i) & 0xFFFF for i in range(30)]
    assert sent[0] == sent[1]


def test_so_many_frames_are_protected_in_a_row() -> None:
    wire = Wire()
    sender = AudioSender(wire, Microphone([b"quiet"]), ahead=5)
    tick(sender, 1)
    assert (wire.protected, sender.packets) == (5, 1)
    tick(sender, 4, since=1)
    assert (wire.protected, sender.packets) == (5, 5)


@pytest.mark.parametrize("silent", range(5))
async def test_an_utterance_begins_and_ends_when_its_packets_leave(silent: int) -> None:
    """It waits for the silence that is ready, and is told of when the clock shows it."""
    wire, microphone = Wire(), Microphone([b"quiet"])
    sender = AudioSender(wire, microphone, ahead=5)
    frame, told = 0, list[tuple[str, int]]()
    tick(sender, silent)
    microphone.say(
        SpokenUtterance(
            [b"a"] * 8,
            on_started=lambda: told.append(("started", frame)),
            on_ended=lambda cut: told.append((f"ended {cut}", frame)),
        )
    )
    for frame in range(silent, 20):
        tick(sender, 1, since=frame)
    begun = wire.payloads.index(b"a")
    assert begun - silent < 5
    assert told == [("started", begun), ("ended False", begun + 7)]


def test_a_report_counts_what_has_left_and_tells_the_time_of_the_frame() -> None:
    """RFC 3550, section 6.4.1: packets sent so far, and the timestamp of the report's own moment."""
    wire = Wire()
    sender = AudioSender(wire, Microphone([b"quiet"]), ahead=5)
    first = sender._timestamp
    tick(sender, round(REPORT_SECONDS / FRAME) + 20)
    compound = RtcpPacket.parse(wire.rtcp[-1])
    report = next(part for part in compound if isinstance(part, RtcpSrPacket))
    frames = report.sender_info.packet_count
    assert report.sender_info.octet_count == len(b"quiet") * frames
    assert report.sender_info.rtp_timestamp == (first + FRAME_SAMPLES * (frames - 1)) & 0xFFFFFFFF


def test_before_there_are_keys_nothing_is_counted_and_the_timestamp_runs_on() -> None:
    wire = Wire(up=False)
    sender = AudioSender(wire, Microphone([b"quiet"]), ahead=5)
    sequence, timestamp = sender._sequence, sender._timestamp
    tick(sender, 5)
    assert (wire.rtp, sender.packets) == ([], 0)
    wire.up = True
    tick(sender, 2, since=5)
    later = (timestamp + 5 * FRAME_SAMPLES) & 0xFFFFFFFF
    assert wire.headers[0] == (1, sequence, later)
    assert wire.headers[1][0] == 0


def test_a_packet_that_could_not_leave_is_missing_at_the_far_end() -> None:
    """As with a browser: it was made, so the sequence shows the gap."""
    wire = Wire()
    sender = AudioSender(wire, Microphone([b"quiet"]))
    tick(sender, 1)
    wire.passes = False
    tick(sender, 1, since=1)
    wire.passes = True
    tick(sender, 1, since=2)
    first, second = (sequence for _, sequence, _ in wire.headers)
    assert (second - first, sender.packets) == (2, 2)


def test_a_packet_after_a_pause_is_marked() -> None:
    wire, microphone = Wire(), Microphone([b"quiet"])
    sender = AudioSender(wire, microphone)
    tick(sender, 2)
    microphone.stopped = True
    tick(sender, 3, since=2)
    microphone.stopped = False
    tick(sender, 2, since=5)
    marks, sequences, timestamps = zip(*wire.headers, strict=True)
    assert marks == (1, 0, 1, 0)
    assert sequences[2] - sequences[1] == 1
    assert (timestamps[2] - timestamps[1]) & 0xFFFFFFFF == 4 * FRAME_SAMPLES
