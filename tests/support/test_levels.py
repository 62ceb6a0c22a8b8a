import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.core.audio import AUDIBLE_DBFS, SILENCE_DBFS, Samples, level_dbfs
from tests.support.levels import active_intervals, frame_levels, onset_ms

signals = arrays.arrays(np.int16, st.integers(0, 500))


@given(samples=signals, rate=st.sampled_from([8_000, 16_000, 48_000]), frame_ms=st.sampled_from([1, 5, 10]))
def test_each_whole_frame_has_the_level_that_it_has_alone(samples: Samples, rate: int, frame_ms: int) -> None:
    size = rate * frame_ms // 1000
    levels = frame_levels(samples, rate, frame_ms)
    assert len(levels) == len(samples) // size
    for i, level in enumerate(levels):
        assert level == pytest.approx(level_dbfs(samples[i * size : (i + 1) * size]))


def test_frames_are_ten_milliseconds_unless_told_otherwise() -> None:
    assert len(frame_levels(np.zeros(4800, np.int16), 48_000)) == 10
    assert frame_levels(np.zeros(4800, np.int16), 48_000) == [SILENCE_DBFS] * 10


def test_active_intervals_bridge_short_gaps_and_leave_out_short_sounds() -> None:
    loud, quiet = AUDIBLE_DBFS, AUDIBLE_DBFS - 0.1
    levels = [quiet, loud, loud, quiet, loud, *[quiet] * 20, loud]
    assert active_intervals(levels, 10) == [(10, 50), (250, 260)]
    assert active_intervals(levels, 10, shortest_ms=20) == [(10, 50)]
    assert active_intervals(levels, 10, merge_gap_ms=10) == [(10, 30), (40, 50), (250, 260)]
    assert active_intervals(levels, 10, merge_gap_ms=201) == [(10, 260)]
    assert active_intervals(levels, 10, threshold=AUDIBLE_DBFS + 1) == []
    assert active_intervals([], 10) == []


@given(levels=st.lists(st.floats(SILENCE_DBFS, 0)), frame_ms=st.sampled_from([10, 20]))
def test_without_bridging_exactly_the_audible_frames_are_active(levels: list[float], frame_ms: int) -> None:
    found = active_intervals(levels, frame_ms, merge_gap_ms=0)
    covered = {i for i in range(len(levels)) for a, b in found if a <= i * frame_ms < b}
    assert covered == {i for i, level in enumerate(levels) if level >= AUDIBLE_DBFS}


def test_the_onset_is_where_the_first_audible_frame_starts() -> None:
    assert onset_ms([SILENCE_DBFS, -60.0, AUDIBLE_DBFS, 0.0], 20) == 40
    assert onset_ms([SILENCE_DBFS, -60.0], 20) is None
    assert onset_ms([SILENCE_DBFS, -60.0], 20, threshold=-60.0) == 20
    assert onset_ms([], 20) is None
