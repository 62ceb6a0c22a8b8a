"""Whether a quantity drifts: the Mann-Kendall test for a trend, and the Theil-Sen slope for its size.

Neither assumes a distribution, and single outliers (a stall, a garbage collection) move neither much. A
sample of memory resembles the one before it, which the plain test takes for a trend: its variance is
corrected for that (Hamed and Rao, 1998). What warms up rises ever slower; a leak goes on as it began.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

FEWEST = 12  # samples that a trend is told from
ALPHA = 0.01  # of the test, one-sided: a rise
WARM_UP = 0.2  # the part of a run in which caches and pools still fill; left out
LASTING = 0.5  # of a leak's pace, which the second half of the samples keeps at least
CORRELATED = 1.645  # standard errors: what correlates more does so surely (5 %)


@dataclass(frozen=True)
class Tolerance:
    """What a quantity may rise by in the whole run: at least `absolute`, or this part of its median.

    `settles`: seconds after the beginning in which it fills, left out whatever the run's length.
    """

    absolute: float
    relative: float
    settles: float = 0.0


@dataclass(frozen=True)
class Trend:
    """`rise`: by how much the quantity rose over the samples, by the Theil-Sen slope; None with too few.

    `slows`: it rose ever slower, as what fills up does.
    """

    samples: int
    median: float | None
    rise: float | None
    p_value: float | None
    tolerance: Tolerance
    slows: bool = False

    @property
    def rises(self) -> bool | None:
        """Whether it drifts: surely (the test), by more than it may, and on and on. None of too little."""
        if self.rise is None or self.p_value is None or self.median is None:
            return None
        allowed = max(self.tolerance.absolute, self.tolerance.relative * abs(self.median))
        return self.p_value < ALPHA and self.rise > allowed and not self.slows


def trend(points: Sequence[tuple[float, float]], tolerance: Tolerance) -> Trend:
    """Of (seconds, value) in order of time; the warm-up is left out here."""
    kept = [point for point in points[int(WARM_UP * len(points)) :] if point[0] >= tolerance.settles]
    if len(kept) < FEWEST:
        return Trend(len(kept), None, None, None, tolerance)
    times, values = np.array([at for at, _ in kept]), np.array([value for _, value in kept])
    slope = _slope(times, values)
    half = len(kept) // 2
    late = _slope(times[half:], values[half:])
    early = _slope(times[:half], values[:half])
    return Trend(
        samples=len(kept),
        median=float(np.sort(values)[len(kept) // 2]),
        rise=slope * float(times[-1] - times[0]),
        p_value=_p_of_rise(values, values - slope * times),
        tolerance=tolerance,
        slows=late < LASTING * max(early, slope),
    )


def _slope(times: Values, values: Values) -> float:
    from scipy.stats import theilslopes  # a second of importing, and Locust need not wait for it

    return float(theilslopes(values, times).slope)


def _p_of_rise(values: Values, without_trend: Values) -> float:
    """Of the Mann-Kendall test, one-sided; `without_trend`: what correlates beside a trend."""
    n = len(values)
    score = int(sum(np.sign(values[i + 1 :] - values[i]).sum() for i in range(n - 1)))
    ties = Counter(values.tolist()).values()
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    if variance <= 0:
        return 1.0
    variance *= _correction(without_trend)
    standardized = (score - np.sign(score)) / math.sqrt(variance)
    return 0.5 * math.erfc(standardized / math.sqrt(2))


def _correction(values: Values) -> float:
    """By how much the variance of the score grows where samples resemble those before them."""
    from scipy.stats import rankdata

    n = len(values)
    ranks = rankdata(values) - (n + 1) / 2
    power = float(ranks @ ranks)
    if power == 0:
        return 1.0
    total = 0.0
    for lag in range(1, n // 2):
        correlation = float(ranks[:-lag] @ ranks[lag:]) / power
        if correlation < CORRELATED / math.sqrt(n):
            break  # beyond, it is chance
        total += (n - lag) * (n - lag - 1) * (n - lag - 2) * correlation
    return 1 + 2 * total / (n * (n - 1) * (n - 2))
