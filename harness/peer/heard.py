"""What came in: packets for the timeline in batches, samples for the ear placed at their true times."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.core.audio import AUDIBLE_DBFS, Samples
from harness.core.clock import RelativeClock
from harness.core.events import Event, Packet, PacketsReceived

BATCH = 50  # packets: one second
SAMPLE_RATE = 48_000
REANCHOR_SECONDS = 0.5  # a timestamp this far from its arrival begins a new placement


class Heard:
    """Collects one call's received packets. Times are those of the timeline."""

    def __init__(self, record: Callable[[Event], None], clock: RelativeClock, *, keep_samples: bool) -> None:
        self._record = record
        self._clock = clock
        self._keep = keep_samples
        self._batch: list[Packet] = []
        self._batch_ssrc = 0
        self._pieces: list[tuple[int, Samples]] = []
        self._anchor: tuple[float, int] | None = None
        self.last_audible = float("-inf")

    def packet(self, packet: Packet, samples: Samples | None, ssrc: int) -> None:
        """Take one packet; its arrival is on the absolute clock."""
        at = packet.at - self._clock.origin
        if self._batch and (ssrc != self._batch_ssrc or len(self._batch) >= BATCH):
            self.flush()
        self._batch_ssrc = ssrc
        self._batch.append(
            Packet(round(at, 6), packet.sequence, packet.timestamp, packet.size, packet.dbfs, packet.clipped)
        )
        if packet.dbfs is not None and packet.dbfs >= AUDIBLE_DBFS:
            self.last_audible = at
        if samples is not None and self._keep:
            self._pieces.append((self._position(at, packet.timestamp), samples))

    def flush(self) -> None:
        """Write the packets gathered so far to the timeline."""
        if self._batch:
            packets, self._batch = tuple(self._batch), []
            self._record(PacketsReceived(at=packets[0].at, ssrc=self._batch_ssrc, packets=packets))

    def samples(self) -> Samples:
        """The received audio, 48 kHz mono, from the timeline's zero on; lost packets are silence."""
        if not self._pieces:
            return np.zeros(0, dtype=np.int16)
        end = max(position + len(piece) for position, piece in self._pieces)
        audio = np.zeros(end, dtype=np.int16)
        for position, piece in self._pieces:
            audio[position : position + len(piece)] = piece
        return audio

    def _position(self, at: float, timestamp: int) -> int:
        if self._anchor is not None:
            anchor_at, anchor_timestamp = self._anchor
            offset = ((timestamp - anchor_timestamp + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
            placed = anchor_at + offset / SAMPLE_RATE
            if abs(placed - at) < REANCHOR_SECONDS:
                return max(0, round(placed * SAMPLE_RATE))
        self._anchor = (at, timestamp)
        return max(0, round(at * SAMPLE_RATE))
