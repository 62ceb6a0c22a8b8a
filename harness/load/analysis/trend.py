"""Whether a quantity drifts: the Mann-Kendall test for a trend, and the Theil-Sen slope for its size.

Neither assumes a distribution, and single outliers (a stall, a garbage collection) move neither much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FEWEST = 12  # samples that a trend is told from
ALPHA = 0.01  # of the test, one-sided: a rise
WARM_UP = 0.2  # the part of a run in which caches and pools still fill; left out


@dataclass(frozen=True)
class Tolerance:
    """What a quantity may rise by in the whole run: at least `absolute`, or this part of its median."""

    absolute: float
    relative: float


@dataclass(frozen=True)
class Trend:
    """`rise`: by how much the quantity rose over the samples, by the Theil-Sen slope; None with too few."""

    samples: int
    median: float | None
    rise: float | None
    p_value: float | None
    tolerance: Tolerance

    @property
    def rises(self) -> bool | None:
        """Whether it drifts: surely (the test) and by more than it may. None where too little was seen."""
        if self.rise is None or self.p_value is None or self.median is None:
            return None
        allowed = max(self.tolerance.absolute, self.tolerance.relative * abs(self.median))
        return self.p_value < ALPHA and self.rise > allowed


def trend(points: Sequence[tuple[float, float]], tolerance: Tolerance) -> Trend:
    """Of (seconds, value) in order of time; the warm-up is left out here."""
    kept = points[int(WARM_UP * len(points)) :]
    if len(kept) < FEWEST:
        return Trend(len(kept), None, None, None, tolerance)
    from scipy.stats import kendalltau, theilslopes  # a second of importing, and Locust need not wait for it

    times, values = [at for at, _ in kept], [value for _, value in kept]
    slope = float(theilslopes(values, times).slope)
    changed = len(set(values)) > 1  # else the test is not defined
    p_value = float(kendalltau(times, values, alternative="greater").pvalue) if changed else 1.0
    ordered = sorted(values)
    return Trend(
        samples=len(kept),
        median=ordered[len(ordered) // 2],
        rise=slope * (times[-1] - times[0]),
        p_value=p_value,
        tolerance=tolerance,
    )
