import re
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from harness.core.clock import (
    ManualClock,
    MonotonicClock,
    RelativeClock,
    monotonic_of_wall,
    process_cpu_seconds,
    seconds_of,
    unix_time,
    wall_time,
)


def test_the_monotonic_clock_is_the_machines_own_so_that_both_ends_compare() -> None:
    before = time.monotonic()
    now = MonotonicClock().now()
    assert before <= now <= time.monotonic()


def test_a_manual_clock_moves_only_by_hand() -> None:
    clock = ManualClock(10.0)
    assert clock.now() == clock.now() == 10.0
    clock.advance(2.5)
    clock.advance(0)
    assert clock.now() == 12.5


def test_a_manual_clock_cannot_go_back() -> None:
    clock = ManualClock(1.0)
    with pytest.raises(ValueError, match=r"cannot go back by 0\.5 s"):
        clock.advance(-0.5)
    assert clock.now() == 1.0


def test_a_relative_clock_begins_at_zero_or_at_the_origin_it_is_given() -> None:
    clock = ManualClock(100.0)
    from_now, from_earlier = RelativeClock(clock), RelativeClock(clock, origin=90.0)
    assert (from_now.now(), from_now.origin) == (0.0, 100.0)
    assert (from_earlier.now(), from_earlier.origin) == (10.0, 90.0)
    clock.advance(3.0)
    assert (from_now.now(), from_earlier.now()) == (3.0, 13.0)


def test_an_origin_of_zero_is_an_origin() -> None:
    assert RelativeClock(ManualClock(5.0), origin=0.0).now() == 5.0


def test_wall_time_is_now_in_utc_to_the_millisecond() -> None:
    before = datetime.now(UTC).timestamp()
    text = wall_time()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", text)
    assert before - 0.001 <= datetime.fromisoformat(text).timestamp() <= datetime.now(UTC).timestamp()


def test_unix_time_is_now_in_whole_seconds() -> None:
    before = int(time.time())
    assert before <= unix_time() <= int(time.time())


def test_cpu_seconds_grow_with_work() -> None:
    before = process_cpu_seconds()
    while time.process_time() - before < 0.002:
        pass
    assert process_cpu_seconds() - before >= 0.002


def test_a_written_time_is_read_back() -> None:
    assert seconds_of("1970-01-01T00:01:00.250+00:00") == 60.25
    assert abs(seconds_of(wall_time()) - unix_time()) < 60


def test_a_wall_time_that_the_kernel_noted_is_put_on_the_monotonic_clock() -> None:
    before = time.monotonic()
    wall = time.time()
    after = time.monotonic()
    assert before - 0.001 <= wall + monotonic_of_wall() <= after + 0.001


def test_what_is_interrupted_between_two_clocks_reads_them_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process had the core for 20 ms, of which the wall clock alone would have known."""
    monotonic = iter([100.0, 100.02, 100.5, 100.5])
    wall = iter([1000.02, 1000.5])
    clocks = SimpleNamespace(perf_counter=lambda: next(monotonic), time=lambda: next(wall))
    monkeypatch.setattr("harness.core.clock.time", clocks)
    assert monotonic_of_wall() == pytest.approx(-900.0)
