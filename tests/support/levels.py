"""What tests ask of sound frame by frame: levels, where it is active, where it begins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.core.audio import AUDIBLE_DBFS, FULL_SCALE, SILENCE_DBFS, Samples, merged


def frame_levels(samples: Samples, rate: int, frame_ms: int = 10) -> list[float]:
    """RMS level of each whole frame."""
    size = rate * frame_ms // 1000
    count = len(samples) // size
    frames = samples[: count * size].reshape(count, size).astype(np.float64)
    rms = np.sqrt(np.mean(np.square(frames), axis=1))
    with np.errstate(divide="ignore"):
        levels = 20 * np.log10(rms / FULL_SCALE)
    return [float(v) for v in np.maximum(levels, SILENCE_DBFS)]


def active_intervals(
    levels: Sequence[float],
    frame_ms: int,
    *,
    threshold: float = AUDIBLE_DBFS,
    merge_gap_ms: int = 200,
    shortest_ms: int = 0,
) -> list[tuple[int, int]]:
    """Intervals in ms whose frames are at or above `threshold`; gaps under `merge_gap_ms` are bridged."""
    active = [(i * frame_ms, (i + 1) * frame_ms) for i, level in enumerate(levels) if level >= threshold]
    return [(a, b) for a, b in merged(active, merge_gap_ms) if b - a >= shortest_ms]


def onset_ms(levels: Sequence[float], frame_ms: int, threshold: float = AUDIBLE_DBFS) -> int | None:
    """Where the first frame at or above `threshold` starts; None where all is below."""
    return next((i * frame_ms for i, level in enumerate(levels) if level >= threshold), None)
