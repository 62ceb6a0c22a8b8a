"""What the arrival of RTP packets says of a stream: loss, jitter, stalls, pace, clipping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from harness.core.audio import AUDIBLE_DBFS, percentile
from harness.core.audio_format import FRAME_SECONDS, RATE
from harness.core.events import Packet, PacketsReceived
from harness.core.timeline import Timeline

BACK_TO_BACK = 0.005  # seconds: packets of 20 ms that arrive closer than this came in a burst
PACE_SPAN = 10  # packets
SMOOTHING = 16  # RFC 3550, section 6.4.1


@dataclass(frozen=True)
class Reception:
    """Statistics of one stretch of a stream. Seconds, except where the name says otherwise.

    `stall` is the longest wait for a packet beyond the time that its sender gave it, and `stall_at` when it
    began. `pace` is media time over arrival time, in the median of spans of 0.2 s, so that one delay that is
    made up for does not count: above 1 means faster than it plays. `bursts` is the
    part of packets that came back to back with the one before.
    """

    expected: int
    lost: int
    jitter_ms: float
    stall: float
    stall_at: float | None
    pace: float | None
    bursts: float
    clipped: float

    @property
    def lost_percent(self) -> float:
        return 100 * self.lost / self.expected if self.expected else 0.0


def streams(timeline: Timeline) -> dict[int, list[Packet]]:
    """SSRC → its packets by arrival."""
    found: dict[int, list[Packet]] = {}
    for batch in timeline.all(PacketsReceived):
        found.setdefault(batch.ssrc, []).extend(batch.packets)
    return {ssrc: sorted(packets, key=lambda p: p.at) for ssrc, packets in found.items()}


def reception(packets: Sequence[Packet]) -> Reception:
    """Statistics of packets of one stream, given by arrival."""
    numbers = unwrapped([p.sequence for p in packets], 16)
    expected = max(numbers) - min(numbers) + 1 if numbers else 0
    media = [t / RATE for t in unwrapped([p.timestamp for p in packets], 32)]
    steps = [
        (b.at - a.at, media_b - media_a)
        for (a, media_a), (b, media_b) in pairwise(zip(packets, media, strict=True))
    ]
    longest = max(_stalls(packets, media), default=(0.0, None))
    bursts = sum(arrival < BACK_TO_BACK < apart for arrival, apart in steps)
    audible = [p.clipped for p in packets if _audible(p)]
    return Reception(
        expected=expected,
        lost=expected - len(set(numbers)),
        jitter_ms=_jitter_ms(steps),
        stall=max(0.0, longest[0]),
        stall_at=longest[1],
        pace=_pace(packets, media),
        bursts=bursts / len(steps) if steps else 0.0,
        clipped=sum(audible) / len(audible) if audible else 0.0,
    )


def _pace(packets: Sequence[Packet], media: Sequence[float]) -> float | None:
    """Of streams that are shorter than one span, that of the whole; None where all came at once."""
    span = max(1, min(PACE_SPAN, len(packets) - 1))
    paces = [
        (media[i + span] - media[i]) / (packets[i + span].at - packets[i].at)
        for i in range(len(packets) - span)
        if packets[i + span].at > packets[i].at
    ]
    return median(paces) if paces else None


def _stalls(packets: Sequence[Packet], media: Sequence[float]) -> Iterator[tuple[float, float]]:
    """(seconds, when it began) of each wait for a packet beyond the time that its sender gave it.

    A sender may leave silence out (DTX): then the timestamps jump as far as the clock. Between two audible
    packets that follow each other nothing was silent, so such a jump is a stall too.
    """
    for (before, media_before), (after, media_after) in pairwise(zip(packets, media, strict=True)):
        arrival, apart = after.at - before.at, media_after - media_before
        successive = (after.sequence - before.sequence) % 65536 == 1
        if 0 < apart <= 2 * FRAME_SECONDS:
            yield arrival - apart, before.at
        elif apart > 0 and successive and _audible(before) and _audible(after):
            yield arrival - FRAME_SECONDS, before.at


def _audible(packet: Packet) -> bool:
    return packet.dbfs is not None and packet.dbfs >= AUDIBLE_DBFS


def unwrapped(values: Sequence[int], bits: int) -> list[int]:
    """Counters that wrap at 2**bits, made continuous; each taken as near as possible to the one before."""
    size = 1 << bits
    found: list[int] = []
    for value in values:
        last = found[-1] if found else value
        step = (value - last + size // 2) % size - size // 2
        found.append(last + step)
    return found


def _jitter_ms(steps: Sequence[tuple[float, float]]) -> float:
    """The 95th percentile of RFC 3550's running interarrival jitter."""
    jitter, running = 0.0, []
    for arrival, apart in steps:
        jitter += (abs(arrival - apart) - jitter) / SMOOTHING
        running.append(jitter * 1000)
    return percentile(running, 95) or 0.0
