import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.core.audio import (
    FULL_SCALE,
    SILENCE_DBFS,
    Samples,
    clipped_part,
    level_dbfs,
    merged,
    percentile,
)

signals = arrays.arrays(np.int16, st.integers(0, 500))
intervals = st.lists(
    st.tuples(st.integers(0, 1000), st.integers(0, 200)).map(lambda pair: (pair[0], pair[0] + pair[1])),
    max_size=12,
)


def square_wave(amplitude: int, count: int = 960) -> Samples:
    return np.where(np.arange(count) % 2, amplitude, -amplitude).astype(np.int16)


@pytest.mark.parametrize(
    ("amplitude", "dbfs"), [(16384, -6.02), (3277, -20.0), (328, -40.0), (1, -90.31), (32767, 0.0)]
)
def test_the_level_of_a_square_wave_is_its_amplitude(amplitude: int, dbfs: float) -> None:
    assert level_dbfs(square_wave(amplitude)) == pytest.approx(dbfs, abs=0.02)


def test_a_sine_at_full_scale_lies_three_decibels_below() -> None:
    sine = np.rint(32767 * np.sin(2 * np.pi * np.arange(4800) / 48)).astype(np.int16)
    assert level_dbfs(sine) == pytest.approx(-3.01, abs=0.01)


def test_silence_and_nothing_at_all_have_the_lowest_level() -> None:
    assert level_dbfs(np.zeros(960, np.int16)) == SILENCE_DBFS
    assert level_dbfs(np.zeros(0, np.int16)) == SILENCE_DBFS
    lone_bit = np.zeros(1_000_000, np.int16)
    lone_bit[0] = 1
    assert level_dbfs(lone_bit) == SILENCE_DBFS


@given(samples=signals)
def test_any_level_lies_between_silence_and_full_scale(samples: Samples) -> None:
    assert SILENCE_DBFS <= level_dbfs(samples) <= 0.0


@given(samples=signals)
def test_turning_a_signal_around_changes_no_level(samples: Samples) -> None:
    assert level_dbfs(samples[::-1]) == pytest.approx(level_dbfs(samples))


def test_samples_at_either_end_of_the_scale_are_clipped() -> None:
    samples = np.array([32767, -32768, 32766, -32767, 0, 0, 0, 0], np.int16)
    assert clipped_part(samples) == 0.25
    assert clipped_part(square_wave(32767)) == 0.5  # -32767 is not the end of the scale
    assert clipped_part(np.zeros(0, np.int16)) == 0.0


@given(intervals=intervals, gap=st.integers(0, 300))
def test_merged_intervals_cover_the_same_lie_apart_and_stay_merged(
    intervals: list[tuple[int, int]], gap: int
) -> None:
    joined = merged(intervals, gap)
    assert all(any(a <= start and end <= b for a, b in joined) for start, end in intervals)
    assert all(b[0] - a[1] >= max(gap, 1) for a, b in pairwise(joined))
    assert merged(joined, gap) == joined
    assert {start for start, _ in joined} <= {start for start, _ in intervals}
    assert {end for _, end in joined} <= {end for _, end in intervals}


def test_a_gap_as_wide_as_allowed_parts_two_intervals_and_touching_ones_are_one() -> None:
    assert merged([(0, 100), (300, 400)], 200) == [(0, 100), (300, 400)]
    assert merged([(0, 100), (299, 400)], 200) == [(0, 400)]
    assert merged([(50, 60), (0, 50), (10, 20)]) == [(0, 60)]
    assert merged([]) == []


def test_percentiles_are_linear_between_ranks() -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], 50) == 2.5
    assert percentile([4.0, 1.0], 0) == 1.0
    assert percentile([4.0, 1.0], 100) == 4.0
    assert percentile([7.0], 95) == 7.0
    assert percentile([], 95) is None


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1), q=st.floats(0, 100))
def test_a_percentile_lies_among_its_values(values: list[float], q: float) -> None:
    found = percentile(values, q)
    assert found is not None
    assert min(values) - 1e-6 <= found <= max(values) + 1e-6


def test_full_scale_is_that_of_sixteen_bits() -> None:
    assert FULL_SCALE == 2**15
    assert 20 * math.log10(1 / FULL_SCALE) > SILENCE_DBFS
