"""What a page's connection received, as Chromium decoded it: stretches for the timeline, samples for the ear.

Packets stay inside of the browser. What comes out is decoded audio in pieces of 100 ms, and counters once a
second; so a call is recorded as light ones are, in stretches that are audible or not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.core.audio import AUDIBLE_DBFS, Samples, level_dbfs
from harness.core.events import Event, StatsTaken, StretchHeard

RATE = 48_000
FRAME = RATE // 50  # 20 ms: the grain of a level
PAUSE_SECONDS = 0.4  # a shorter pause belongs to the speech around it
REANCHOR_SECONDS = 0.25  # a piece this far from where it should follow begins anew


class PageAudio:
    """One call's. Times are those of the timeline."""

    def __init__(self, record: Callable[[Event], None]) -> None:
        self._record = record
        self._pieces: list[tuple[int, Samples]] = []
        self._next = float("-inf")  # when the next piece should begin
        self._began: float | None = None
        self._audible = False
        self._until = 0.0
        self._last_stats = StatsTaken(at=0.0)
        self._counted = StatsTaken(at=0.0)  # those at the beginning of the stretch
        self.last_audible = float("-inf")

    def piece(self, at: float, samples: Samples) -> None:
        """Take decoded audio (48 kHz, mono) whose first sample was there at `at`."""
        if abs(self._next - at) < REANCHOR_SECONDS:
            at = self._next  # pieces follow each other without a gap, however late we are told
        self._next = at + samples.size / RATE
        self._pieces.append((max(0, round(at * RATE)), samples))
        for start in range(0, samples.size, FRAME):
            self._frame(at + start / RATE, samples[start : start + FRAME])

    def stats(self, taken: StatsTaken) -> None:
        """Take the counters."""
        self._last_stats = taken

    def flush(self) -> None:
        """Write the stretch gathered so far to the timeline."""
        if self._began is None:
            return
        began, until = self._began, max(self._until, self._began)
        received = max(0, self._last_stats.received - self._counted.received)
        self._record(
            StretchHeard(
                at=began,
                until=until,
                ssrc=0,
                audible=self._audible,
                packets=max(received, 1),
                lost=max(0, self._last_stats.lost - self._counted.lost),
                media_ms=round(1000 * (until - began), 3),
                jitter_ms=round(self._last_stats.jitter_ms, 3),
            )
        )
        self._counted = self._last_stats
        self._began = None

    def samples(self) -> Samples:
        """All that was received, 48 kHz mono, from the timeline's zero on."""
        end = max((position + piece.size for position, piece in self._pieces), default=0)
        audio = np.zeros(end, dtype=np.int16)
        for position, piece in self._pieces:
            audio[position : position + piece.size] = piece
        return audio

    def _frame(self, at: float, samples: Samples) -> None:
        audible = level_dbfs(samples) >= AUDIBLE_DBFS
        end = at + samples.size / RATE
        if audible:
            self.last_audible = end
        if self._began is None:
            self._begin(at, audible=audible)
        elif audible and not self._audible:
            self._until = at
            self.flush()
            self._begin(at, audible=True)
        elif self._audible and not audible and at - self.last_audible > PAUSE_SECONDS:
            self._until = self.last_audible
            self.flush()
            self._begin(self.last_audible, audible=False)
        if audible or not self._audible:
            self._until = end

    def _begin(self, at: float, *, audible: bool) -> None:
        self._began, self._audible, self._until = at, audible, at
