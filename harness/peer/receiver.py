"""Receiving below any jitter buffer: every packet is counted as it comes, and handed on undecoded."""

from __future__ import annotations

import struct
from collections.abc import Callable

from aiortc.rtp import RtcpReceiverInfo

from harness.peer import rtcp

# Arrival on the monotonic clock, extended sequence, RTP timestamp, payload, the stream.
OnPacket = Callable[[float, int, int, bytes, rtcp.StreamStatistics], None]

PLAIN_HEADER = 0x80  # version 2; no padding, no extension, no contributing sources
HEADER_SIZE = 12
_fields = struct.Struct("!HLL").unpack_from


class AudioReceiver:
    """The incoming streams of one call. `on_packet` gets each packet and its stream's statistics.

    Where `payload_types` are known, packets of others are counted and empty, and `on_other` is told.
    """

    def __init__(
        self,
        *,
        on_packet: OnPacket | None = None,
        on_report: Callable[[rtcp.ReportSeen], None] | None = None,
        on_other: Callable[[int], None] | None = None,
    ) -> None:
        self._on_packet = on_packet
        self._on_report = on_report
        self._on_other = on_other
        self.payload_types: frozenset[int] = frozenset()  # Opus's; none: whatever comes
        self._streams: dict[int, rtcp.StreamStatistics] = {}
        self._last_sr = 0
        self._last_sr_arrival = 0.0
        self.our_ssrc = 0

    @property
    def packets(self) -> int:
        """Packets received in all, duplicates not counted."""
        return sum(s.received for s in self._streams.values())

    @property
    def lost(self) -> int:
        """Packets missing so far."""
        return sum(s.lost for s in self._streams.values())

    @property
    def jitter_ms(self) -> float:
        """Interarrival jitter of the stream that has most."""
        return max((s.jitter_ms for s in self._streams.values()), default=0.0)

    def rtp(self, packet: bytes, arrival: float) -> None:
        """Take one plain RTP packet (RFC 3550, section 5.1)."""
        if len(packet) >= HEADER_SIZE and packet[0] == PLAIN_HEADER:  # nearly always
            payload = packet[HEADER_SIZE:]
        elif (found := rtp_payload(packet)) is not None:
            payload = found
        else:
            return
        if (kind := packet[1] & 0x7F) not in self.payload_types and self.payload_types:
            payload = b""
            if self._on_other is not None:
                self._on_other(kind)
        sequence, timestamp, ssrc = _fields(packet, 2)
        stream = self._streams.get(ssrc)
        if stream is None:
            stream = self._streams[ssrc] = rtcp.StreamStatistics(ssrc)
        extended = stream.add(sequence, timestamp, arrival)
        if self._on_packet is not None:
            self._on_packet(arrival, extended, timestamp, payload, stream)

    def rtcp(self, compound: bytes, arrival: float) -> None:
        """Take one plain RTCP compound; a malformed one is no news."""
        try:
            last_sr, seen = rtcp.read_reports(compound, self.our_ssrc, arrival)
        except ValueError:
            return
        if last_sr is not None:
            self._last_sr, self._last_sr_arrival = last_sr, arrival
        if self._on_report is not None:
            for report in seen:
                self._on_report(report)

    def report_blocks(self, now: float) -> list[RtcpReceiverInfo]:
        """What to report about the streams received so far; 31 at the most (RFC 3550, section 6.4.1)."""
        delay = max(0.0, now - self._last_sr_arrival)
        return [s.report(self._last_sr, delay) for s in list(self._streams.values())[:31]]


def rtp_payload(packet: bytes) -> bytes | None:
    """The payload behind header, contributing sources, extension and padding; None for what is no RTP."""
    if len(packet) < HEADER_SIZE or packet[0] >> 6 != 2:
        return None
    start = HEADER_SIZE + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        if len(packet) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    end = len(packet)
    if packet[0] & 0x20 and end > start:
        end -= packet[-1]
    return packet[start:end] if start <= end else None
