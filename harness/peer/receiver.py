"""Receiving below any jitter buffer: every packet is counted as it comes, and decoded where asked."""

from __future__ import annotations

import struct
from collections.abc import Callable

from aiortc.rtp import RtcpReceiverInfo

from harness.core.audio import Samples, clipped_part, level_dbfs
from harness.core.events import Packet
from harness.peer import rtcp

Decode = Callable[[bytes], Samples]
OnPacket = Callable[[Packet, Samples | None, int], None]


class AudioReceiver:
    """One incoming stream. `on_packet` gets each packet, its samples (None if not decoded) and the SSRC."""

    def __init__(
        self,
        *,
        decode: Decode | None = None,
        on_packet: OnPacket | None = None,
        on_report: Callable[[rtcp.ReportSeen], None] | None = None,
    ) -> None:
        self._decode = decode
        self._on_packet = on_packet
        self._on_report = on_report
        self._streams: dict[int, rtcp.StreamStatistics] = {}
        self._last_sr = 0
        self._last_sr_arrival = 0.0
        self.undecodable = 0
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
        payload = rtp_payload(packet)
        if payload is None:
            return
        sequence, timestamp, ssrc = struct.unpack_from("!HLL", packet, 2)
        statistics = self._streams.setdefault(ssrc, rtcp.StreamStatistics(ssrc))
        extended = statistics.add(sequence, timestamp, arrival)
        samples: Samples | None = None
        if self._decode is not None and payload:
            try:
                samples = self._decode(payload)
            except ValueError:
                self.undecodable += 1
        if self._on_packet is not None:
            level = round(level_dbfs(samples), 1) if samples is not None else None
            clipped = round(clipped_part(samples), 4) if samples is not None else 0.0
            self._on_packet(Packet(arrival, extended, timestamp, len(payload), level, clipped), samples, ssrc)

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
    if len(packet) < 12 or packet[0] >> 6 != 2:
        return None
    start = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        if len(packet) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    end = len(packet)
    if packet[0] & 0x20 and end > start:
        end -= packet[-1]
    return packet[start:end] if start <= end else None
