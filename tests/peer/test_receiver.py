from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from harness.peer.receiver import AudioReceiver, rtp_payload


def rtp(sequence: int, payload: bytes = b"opus", *, flags: int = 0x80, extra: bytes = b"") -> bytes:
    return struct.pack("!BBHLL", flags, 111, sequence, sequence * 960, 77) + extra + payload


def test_each_packet_is_handed_on_with_its_arrival_and_its_stream() -> None:
    seen: list[tuple[float, int, int, bytes, int]] = []
    receiver = AudioReceiver(
        on_packet=lambda at, n, ts, payload, stream: seen.append((at, n, ts, payload, stream.ssrc))
    )
    receiver.rtp(rtp(3), 1.5)
    receiver.rtp(rtp(4, b"more", flags=0x81, extra=b"csrc"), 1.52)
    assert seen == [(1.5, 3, 2880, b"opus", 77), (1.52, 4, 3840, b"more", 77)]


def test_loss_and_jitter_are_those_of_the_streams() -> None:
    receiver = AudioReceiver()
    for sequence in (1, 2, 4):
        receiver.rtp(rtp(sequence), sequence * 0.02)
    assert (receiver.packets, receiver.lost) == (3, 1)
    assert receiver.jitter_ms < 0.01


def test_extension_and_contributing_sources_are_no_payload() -> None:
    extension = struct.pack("!HHL", 0xBEDE, 1, 0)
    assert rtp_payload(rtp(1, flags=0x90, extra=extension)) == b"opus"
    assert rtp_payload(rtp(1, flags=0x81, extra=b"csrc")) == b"opus"
    assert rtp_payload(rtp(1, b"opus\x00\x02", flags=0xA0)) == b"opus"


def test_packets_of_another_codec_are_counted_told_and_not_taken_for_opus() -> None:
    seen: list[bytes] = []
    others: list[int] = []
    receiver = AudioReceiver(
        on_packet=lambda _at, _n, _ts, payload, _stream: seen.append(payload), on_other=others.append
    )
    receiver.rtp(rtp(1), 0.02)  # nothing is known yet, so whatever comes is taken
    receiver.payload_types = frozenset({109})
    receiver.rtp(rtp(2), 0.04)
    receiver.payload_types = frozenset({109, 111})
    receiver.rtp(rtp(3), 0.06)
    assert (seen, others, receiver.packets) == ([b"opus", b"", b"opus"], [111], 3)


@given(st.binary(max_size=64))
def test_no_datagram_makes_it_fail(datagram: bytes) -> None:
    receiver = AudioReceiver()
    receiver.rtp(datagram, 0.0)
    receiver.rtcp(datagram, 0.0)
