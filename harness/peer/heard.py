"""What came in, whole: each packet for the timeline in batches, samples for the ear placed at their times."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.core.audio import AUDIBLE_DBFS, Samples, clipped_part, level_dbfs
from harness.core.audio_format import FRAME_SAMPLES, RATE
from harness.core.clock import RelativeClock
from harness.core.events import Event, Packet, PacketsReceived
from harness.peer.rtcp import StreamStatistics

BATCH = 50  # packets: one second
REANCHOR_SECONDS = 0.5  # a timestamp this far from its arrival begins a new placement

Decode = Callable[[bytes], Samples]


class ReceivedAudio:
    """Decodes and records one call's received packets. Times are those of the timeline."""

    def __init__(self, record: Callable[[Event], None], clock: RelativeClock, decode: Decode) -> None:
        self._record = record
        self._clock = clock
        self._decode = decode
        self._batch: list[Packet] = []
        self._batch_ssrc = 0
        self._pieces: list[tuple[int, Samples]] = []
        self._anchor: tuple[float, int] | None = None
        self._last_timestamp: int | None = None
        self.last_audible = float("-inf")
        self.undecodable = 0

    def packet(
        self, arrival: float, sequence: int, timestamp: int, payload: bytes, stream: StreamStatistics
    ) -> None:
        """Take one packet; its arrival is on the absolute clock."""
        at = arrival - self._clock.origin
        if self._batch and (stream.ssrc != self._batch_ssrc or len(self._batch) >= BATCH):
            self.flush()
        self._batch_ssrc = stream.ssrc
        samples = self._decoded(payload)
        level, clipped = None, 0.0
        if samples is not None:
            level = round(level_dbfs(samples), 1)
            clipped = round(clipped_part(samples), 4)
            if level >= AUDIBLE_DBFS:
                self.last_audible = at
            self._pieces.append((self._position(at, timestamp), samples))
        self._batch.append(Packet(round(at, 6), sequence, timestamp, len(payload), level, clipped))

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

    def _decoded(self, payload: bytes) -> Samples | None:
        if not payload:
            return None
        try:
            return self._decode(payload)
        except ValueError:
            self.undecodable += 1
            return None

    def _position(self, at: float, timestamp: int) -> int:
        last, self._last_timestamp = self._last_timestamp, timestamp
        if self._anchor is not None:
            anchor_at, anchor_timestamp = self._anchor
            offset = ((timestamp - anchor_timestamp + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
            placed = anchor_at + offset / RATE
            # What comes in a burst, ahead of its time, must not be placed over what came just before.
            follows = last is not None and (timestamp - last) & 0xFFFFFFFF == FRAME_SAMPLES
            if at - placed < REANCHOR_SECONDS and (follows or placed - at < REANCHOR_SECONDS):
                return max(0, round(placed * RATE))
        self._anchor = (at, timestamp)
        return max(0, round(at * RATE))
