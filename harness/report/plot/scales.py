"""From data to the units of a drawing, and the round numbers that an axis shows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

ROUND = (1.0, 2.0, 5.0, 10.0)
FEW = 7  # ticks: more than about these crowd an axis


@dataclass(frozen=True)
class Scale:
    """Maps `low`…`high` of the data onto `start`…`end` of the drawing, evenly or by decades.

    `whole`: what is counted, and has no ticks between whole numbers.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    whole: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value; those beyond the ends lie beyond the ends."""
        low, high, at = self.low, self.high, value
        if self.log:
            low, high, at = math.log10(low), math.log10(high), math.log10(max(value, low / 10))
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values from low to high, few enough to be read."""
        if not self.log:
            even = _even_ticks(self.low, self.high)
            return [v for v in even if v.is_integer()] if self.whole else even
        fine = [v for v in _decades(self.low, self.high) if self.low <= v <= self.high * (1 + 1e-9)]
        return fine if len(fine) <= FEW + 1 else [v for v in fine if math.log10(v) % 1 < 1e-9]


def scale_over(values: Iterable[float], start: float, end: float, *, log: bool = False) -> Scale:
    """A scale with round ends: from zero on, or for decades from the round number under the least value.

    Takes finite values; for decades those above zero count.
    """
    found = [v for v in values if not log or v > 0]
    highest = max(found, default=1.0)
    if log:
        low, high = _round_down(min(found, default=0.1)), _round_up(highest)
        return Scale(low, high if high > low else low * 10, start, end, log=True)
    lowest = min(0.0, *found) if found else 0.0
    span = highest - lowest
    counted = are_whole(found)
    if span <= 0:
        return Scale(lowest, lowest + 1, start, end, whole=counted)
    step = _step(span)
    low, high = math.floor(lowest / step) * step, math.ceil(highest / step - 1e-9) * step
    return Scale(low, high, start, end, whole=counted)


def are_whole(values: Iterable[float]) -> bool:
    """Whether there are values, and all of them are whole numbers."""
    found = list(values)
    return bool(found) and all(float(v).is_integer() for v in found)


def written(value: float) -> str:
    """A tick's number: as short as it can be, with its thousands parted."""
    return f"{round(value, 10):,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _even_ticks(low: float, high: float) -> list[float]:
    step = _step(high - low)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 10) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _step(span: float) -> float:
    """The round step that divides a span in no more than a few."""
    rough = span / FEW
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(r for r in ROUND if r >= rough / power - 1e-9)


def _decades(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [float(f"{r:g}e{p}") for p in powers for r in ROUND[:-1]]


def _round_down(value: float) -> float:
    return max(v for v in _decades(value / 10, value) if v <= value)


def _round_up(value: float) -> float:
    return min(v for v in _decades(value, value * 10) if v >= value)
