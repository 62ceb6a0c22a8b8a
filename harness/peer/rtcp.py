"""Statistics of a received stream and the sender and receiver reports about it (RFC 3550, section 6.4)."""

from __future__ import annotations

from dataclasses import dataclass

from aiortc.rtp import (
    RtcpPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
)

from harness.core.audio_format import RATE

NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970 (RFC 868)
SDES_CNAME = 1
LATEST = 1024  # packets: what comes later than this is not waited for
LONGEST_TRANSIT = RATE * 60  # a wrapped or restarted timestamp says nothing about jitter


class StreamStatistics:
    """Loss and jitter of one SSRC, as RFC 3550 appendix A counts them.

    The 16-bit sequence is extended; a packet that comes twice counts as received once.
    """

    __slots__ = (
        "_base",
        "_last_transit",
        "_missing",
        "_reported_expected",
        "_reported_received",
        "duplicates",
        "highest",
        "jitter",
        "received",
        "ssrc",
    )

    def __init__(self, ssrc: int) -> None:
        self.ssrc = ssrc
        self.received = 0
        self.duplicates = 0
        self.jitter = 0.0  # in RTP clock units
        self._base: int | None = None
        self.highest = 0
        self._missing: set[int] = set()  # passed over so far, as long as they may still come
        self._last_transit = 0.0
        self._reported_expected = 0
        self._reported_received = 0

    def add(self, sequence: int, timestamp: int, arrival: float) -> int:
        """Count a packet; returns its extended sequence number."""
        extended = self.highest + 1
        transit = arrival * RATE - timestamp
        if sequence != extended & 0xFFFF or self._base is None:  # anything but the next one in order
            if self._base is None:
                self._base = extended = sequence
                self._last_transit = transit
            else:
                extended = self.highest + _signed16(sequence - self.highest)
                if not self._is_new(extended, self._base):
                    self.duplicates += 1
                    return extended
        if extended > self.highest:
            self.highest = extended
        self.received += 1
        difference = transit - self._last_transit
        self._last_transit = transit
        if -LONGEST_TRANSIT < difference < LONGEST_TRANSIT:
            jitter = self.jitter
            self.jitter = jitter + ((difference if difference > 0 else -difference) - jitter) / 16
        return extended

    def _is_new(self, extended: int, base: int) -> bool:
        """Whether the packet has not come before; notes those that it leaves out."""
        if extended > self.highest:
            self._missing.update(range(self.highest + 1, extended))
            if len(self._missing) > LATEST:
                self._missing = {s for s in self._missing if s > extended - LATEST}
        elif extended < base:
            self._base = extended
            self._missing.update(range(extended + 1, base))
        elif extended in self._missing:
            self._missing.discard(extended)
        else:
            return False
        return True

    @property
    def expected(self) -> int:
        return 0 if self._base is None else self.highest - self._base + 1

    @property
    def lost(self) -> int:
        return max(0, self.expected - self.received)

    @property
    def jitter_ms(self) -> float:
        return 1000 * self.jitter / RATE

    def report(self, last_sr: int, delay_since_sr: float) -> RtcpReceiverInfo:
        """A report block since the last one; `last_sr` is the middle of the sender's NTP time, 0 for none."""
        expected, received = self.expected, self.received
        interval_expected = expected - self._reported_expected
        interval_lost = interval_expected - (received - self._reported_received)
        self._reported_expected, self._reported_received = expected, received
        fraction = 0
        if interval_expected > 0 and interval_lost > 0:
            fraction = min(255, interval_lost * 256 // interval_expected)
        return RtcpReceiverInfo(
            ssrc=self.ssrc,
            fraction_lost=fraction,
            packets_lost=min(self.lost, 0x7FFFFF),
            highest_sequence=self.highest & 0xFFFFFFFF,
            jitter=int(self.jitter),
            lsr=last_sr,
            dlsr=int(delay_since_sr * 65536) & 0xFFFFFFFF if last_sr else 0,
        )


@dataclass(frozen=True)
class ReportSeen:
    """What the other end reported about our stream."""

    fraction_lost: float
    lost: int
    jitter_ms: float
    round_trip_ms: float | None


def sender_report(
    ssrc: int,
    cname: str,
    now: float,
    timestamp: int,
    packets: int,
    octets: int,
    blocks: list[RtcpReceiverInfo],
) -> bytes:
    """A compound SR and SDES. `now` is monotonic: only differences matter to the other end."""
    info = RtcpSenderInfo(
        ntp_timestamp=ntp(now), rtp_timestamp=timestamp, packet_count=packets, octet_count=octets & 0xFFFFFFFF
    )
    return bytes(RtcpSrPacket(ssrc=ssrc, sender_info=info, reports=blocks)) + _sdes(ssrc, cname)


def receiver_report(ssrc: int, cname: str, blocks: list[RtcpReceiverInfo]) -> bytes:
    """A compound RR and SDES."""
    return bytes(RtcpRrPacket(ssrc=ssrc, reports=blocks)) + _sdes(ssrc, cname)


def read_reports(compound: bytes, our_ssrc: int, now: float) -> tuple[int | None, list[ReportSeen]]:
    """The other end's last SR time (middle 32 bits of NTP) and its reports about `our_ssrc`.

    Raises ValueError on a malformed compound.
    """
    last_sr: int | None = None
    seen: list[ReportSeen] = []
    for packet in RtcpPacket.parse(compound):
        if isinstance(packet, RtcpSrPacket):
            last_sr = (packet.sender_info.ntp_timestamp >> 16) & 0xFFFFFFFF
        if isinstance(packet, RtcpSrPacket | RtcpRrPacket):
            seen.extend(_seen(block, now) for block in packet.reports if block.ssrc == our_ssrc)
    return last_sr, seen


def ntp(now: float) -> int:
    """Seconds as a 64-bit NTP timestamp."""
    return (int((now + NTP_EPOCH) * (1 << 32))) & 0xFFFFFFFFFFFFFFFF


def _seen(block: RtcpReceiverInfo, now: float) -> ReportSeen:
    round_trip = None
    if block.lsr:
        units = (((ntp(now) >> 16) & 0xFFFFFFFF) - block.lsr - block.dlsr) & 0xFFFFFFFF
        if units < 1 << 31:
            round_trip = 1000 * units / 65536
    return ReportSeen(
        fraction_lost=block.fraction_lost / 256,
        lost=block.packets_lost,
        jitter_ms=1000 * block.jitter / RATE,
        round_trip_ms=round_trip,
    )


def _sdes(ssrc: int, cname: str) -> bytes:
    source = RtcpSourceInfo(ssrc=ssrc, items=[(SDES_CNAME, cname.encode())])
    return bytes(RtcpSdesPacket(chunks=[source]))


def _signed16(difference: int) -> int:
    difference &= 0xFFFF
    return difference - 0x10000 if difference & 0x8000 else difference
