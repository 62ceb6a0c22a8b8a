"""Levels, intervals and percentiles. Samples are int16 arrays of one channel; levels are in dBFS."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

FULL_SCALE = 32768.0
SILENCE_DBFS = -96.0  # below what 16 bits can carry
AUDIBLE_DBFS = -50.0  # above comfort noise and codec residue, below quiet speech


def level_dbfs(samples: Samples) -> float:
    """RMS level; `SILENCE_DBFS` at the least, also for no samples at all."""
    if samples.size == 0:
        return SILENCE_DBFS
    wide = samples.astype(np.float64)
    rms = math.sqrt(float(wide.dot(wide)) / samples.size)
    return max(SILENCE_DBFS, 20 * math.log10(rms / FULL_SCALE)) if rms else SILENCE_DBFS


def clipped_part(samples: Samples) -> float:
    """The part of samples at full scale, 0 to 1."""
    if samples.size == 0:
        return 0.0
    return float(np.count_nonzero((samples >= 32767) | (samples <= -32768)) / samples.size)


def merged(intervals: Iterable[tuple[int, int]], gap: int = 0) -> list[tuple[int, int]]:
    """Join intervals in order of their starts where the next begins less than `gap` after the last ends."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(intervals):
        if joined and (start - joined[-1][1] < gap or start <= joined[-1][1]):
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def percentile(values: Sequence[float], q: float) -> float | None:
    """The q-th percentile (0 to 100, linear between ranks); None for no values."""
    return float(np.percentile(np.asarray(values, dtype=np.float64), q)) if len(values) else None
