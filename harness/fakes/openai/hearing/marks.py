"""The tone by which a caller says whose call it is, where a gateway passes on nothing but its voice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.core.audio import AUDIBLE_DBFS, Samples, level_dbfs
from harness.speech.marks import WINDOW_MS, mark_name, read_mark

LISTENS_MS = 30_000  # of a call's audio: whoever has a mark says it first


class MarkEar:
    """Listens in at the beginning of a call, and tells the first mark that two windows in a row carry."""

    def __init__(self, found: Callable[[str], None]) -> None:
        self._found = found
        self._waiting: list[Samples] = []
        self._samples = 0
        self._left_ms = LISTENS_MS
        self._last: int | None = None

    def hear(self, samples: Samples, rate: int) -> bool:
        """Take the next samples; whether any more are wanted."""
        self._waiting.append(samples)
        self._samples += len(samples)
        size = rate * WINDOW_MS // 1000
        if self._samples < size:
            return True
        window = np.concatenate(self._waiting)[:size]
        self._waiting, self._samples = [], 0
        self._left_ms -= WINDOW_MS
        mark = read_mark(window, rate) if level_dbfs(window) >= AUDIBLE_DBFS else None
        if mark is not None and mark == self._last:
            self._found(mark_name(mark))
            return False
        self._last = mark
        return self._left_ms > 0
