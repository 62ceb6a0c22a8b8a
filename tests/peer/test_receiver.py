from __future__ import annotations

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.core.audio import Samples
from harness.core.events import Packet
from harness.peer.receiver import AudioReceiver, rtp_payload


def rtp(sequence: int, payload: bytes = b"opus", *, flags: int = 0x80, extra: bytes = b"") -> bytes:
    return struct.pack("!BBHLL", flags, 111, sequence, sequence * 960, 77) + extra + payload


def test_a_packet_is_told_with_arrival_sequence_size_and_level() -> None:
    seen: list[tuple[Packet, Samples | None, int]] = []
    loud = np.full(960, 16384, dtype=np.int16)
    receiver = AudioReceiver(decode=lambda _: loud, on_packet=lambda p, s, ssrc: seen.append((p, s, ssrc)))
    receiver.rtp(rtp(3), 1.5)
    packet, samples, ssrc = seen[0]
    assert (packet.at, packet.sequence, packet.size, packet.dbfs, ssrc) == (1.5, 3, 4, -6.0, 77)
    assert samples is loud


def test_what_cannot_be_decoded_is_counted_and_still_told() -> None:
    seen: list[Packet] = []

    def refuse(_payload: bytes) -> Samples:
        raise ValueError("not Opus")

    receiver = AudioReceiver(decode=refuse, on_packet=lambda p, _s, _ssrc: seen.append(p))
    receiver.rtp(rtp(1), 0.0)
    assert receiver.undecodable == 1
    assert seen[0].dbfs is None


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


@given(st.binary(max_size=64))
def test_no_datagram_makes_it_fail(datagram: bytes) -> None:
    receiver = AudioReceiver(decode=lambda _: np.zeros(960, dtype=np.int16))
    receiver.rtp(datagram, 0.0)
    receiver.rtcp(datagram, 0.0)
