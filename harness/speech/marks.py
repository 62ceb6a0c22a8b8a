"""Marked tones: a sound that says which call it belongs to, so that another call's audio is recognised."""

from __future__ import annotations

import zlib

import numpy as np

from harness.core.audio import Samples
from harness.core.audio_format import RATE
from harness.speech import generate

# One tone of each sixteen, inside the telephone band; 100 ms tell 50 Hz apart.
LOW = tuple(430 + 50 * i for i in range(16))
HIGH = tuple(1410 + 50 * i for i in range(16))
MARKS = len(LOW) * len(HIGH)

WINDOW_MS = 100
_SPREAD_HZ = 15  # a tone's energy within this of its frequency is the tone's
_SHARE = 0.8  # of a window's energy that the two tones must hold to count as a mark


def marked_tone(mark: int, duration_ms: int, *, level_dbfs: float = -20.0) -> Samples:
    """The sound of a mark, 0 to 255. Raises ValueError for any other."""
    if not 0 <= mark < MARKS:
        raise ValueError(f"marks are 0 to {MARKS - 1}, not {mark}")
    low, high = divmod(mark, len(HIGH))
    return generate.tone((float(LOW[low]), float(HIGH[high])), duration_ms, level_dbfs=level_dbfs)


def call_mark(call_name: str) -> int:
    """The mark of a call, from its ufrag: both ends can work it out."""
    return zlib.crc32(call_name.encode()) % MARKS


def mark_name(mark: int) -> str:
    """As clips and records have it."""
    return f"mark-{mark}"


def read_mark(samples: Samples, rate: int = RATE) -> int | None:
    """The mark heard in most 100 ms windows of samples; None where no window carries one."""
    size = rate * WINDOW_MS // 1000
    found = [_window_mark(samples[i : i + size], rate) for i in range(0, len(samples) - size + 1, size)]
    heard = [mark for mark in found if mark is not None]
    return max(set(heard), key=lambda mark: (heard.count(mark), -mark)) if heard else None


def _window_mark(window: Samples, rate: int) -> int | None:
    power = np.square(np.abs(np.fft.rfft(window * np.hanning(len(window)))))
    total = float(power.sum())
    if not total:
        return None
    frequencies = np.fft.rfftfreq(len(window), 1 / rate)

    def strengths(tones: tuple[int, ...]) -> list[float]:
        return [float(power[np.abs(frequencies - tone) <= _SPREAD_HZ].sum()) for tone in tones]

    low, high = strengths(LOW), strengths(HIGH)
    if max(low) + max(high) < _SHARE * total or min(max(low), max(high)) < total / 10:
        return None
    return low.index(max(low)) * len(HIGH) + high.index(max(high))
