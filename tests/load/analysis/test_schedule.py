from __future__ import annotations

import random
from itertools import pairwise

import pytest

from harness.load.analysis.schedule import SPACINGS, arrivals


@pytest.mark.parametrize("spacing", SPACINGS)
def test_each_spacing_keeps_its_rate_in_order_and_repeats_with_its_seed(spacing: str) -> None:
    times = list(arrivals(spacing, 100, 100, random.Random(1), size=5))
    assert len(times) == pytest.approx(10_000, rel=0.06)
    assert all(before <= after for before, after in pairwise(times))
    assert times == list(arrivals(spacing, 100, 100, random.Random(1), size=5))


def test_bursts_come_at_one_moment_and_constant_ones_evenly() -> None:
    times = list(arrivals("bursts", 100, 10, random.Random(1), size=50))
    assert all(times.count(at) == 50 for at in set(times))
    evenly = list(arrivals("constant", 10, 1.05, random.Random(1)))
    assert evenly == pytest.approx([n / 10 for n in range(1, 11)])


def test_a_ramp_rises_evenly_to_the_rate() -> None:
    times = list(arrivals("constant", 100, 4, random.Random(1), ramp=2))
    assert sum(at < 1 for at in times) == pytest.approx(25, abs=1)
    assert sum(1 <= at < 2 for at in times) == pytest.approx(75, abs=1)
    assert sum(3 <= at < 4 for at in times) == pytest.approx(100, abs=1)
