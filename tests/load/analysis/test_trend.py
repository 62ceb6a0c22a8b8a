from __future__ import annotations

import random

import pytest

from harness.load.analysis.trend import FEWEST, WARM_UP, Tolerance, trend

TOLERANCE = Tolerance(absolute=10.0, relative=0.1)


def noisy(slope: float, *, samples: int = 60, noise: float = 5.0, seed: int = 1) -> list[tuple[float, float]]:
    draw = random.Random(seed)
    return [(10.0 * i, 200.0 + slope * i + draw.gauss(0, noise)) for i in range(samples)]


def test_a_rise_beyond_what_is_allowed_is_found() -> None:
    found = trend(noisy(1.0), TOLERANCE)
    assert found.rises
    assert found.rise == pytest.approx(1.0 * 60 * (1 - WARM_UP), rel=0.2)


def test_noise_is_no_drift() -> None:
    false_alarms = sum(bool(trend(noisy(0.0, seed=seed), TOLERANCE).rises) for seed in range(200))
    assert false_alarms == 0


def test_a_sure_rise_within_what_is_allowed_is_no_drift() -> None:
    found = trend(noisy(0.1, noise=0.1), TOLERANCE)
    assert found.p_value is not None
    assert found.p_value < 1e-6
    assert found.rises is False


def test_a_fall_is_no_leak() -> None:
    assert trend(noisy(-2.0), TOLERANCE).rises is False


def test_what_only_fills_in_the_beginning_is_no_leak() -> None:
    filling = [(float(i), min(400.0, 100.0 + 40.0 * i)) for i in range(60)]
    assert trend(filling, TOLERANCE).rises is False


def test_single_outliers_move_nothing() -> None:
    points = noisy(0.0)
    points[-3:] = [(at, 5000.0) for at, _ in points[-3:]]
    assert trend(points, TOLERANCE).rises is False


def test_what_never_changes_has_no_trend() -> None:
    found = trend([(float(i), 7.0) for i in range(40)], TOLERANCE)
    assert (found.rise, found.p_value, found.rises) == (0.0, 1.0, False)


def test_too_few_samples_tell_nothing() -> None:
    found = trend(noisy(5.0, samples=FEWEST), TOLERANCE)
    assert (found.rise, found.rises) == (None, None)
