import pytest

from harness.browser.matching import PageClock


def test_the_wall_clock_stands_until_a_round_trip_contradicts_it() -> None:
    clock = PageClock(offset=-1000.0)
    assert clock.seconds(1_000_500.0) == pytest.approx(0.5)
    assert clock.error == float("inf")
    clock.answered(1_000_500.0, 1_000_504.0, ours=0.502)
    assert clock.offset == -1000.0
    assert clock.corrected == 0.0
    assert clock.error == pytest.approx(0.002)


def test_a_clock_that_is_off_is_moved_to_where_it_can_be() -> None:
    clock = PageClock(offset=-999.0)
    clock.answered(1_000_500.0, 1_000_504.0, ours=0.502)
    assert clock.seconds(1_000_500.0) == pytest.approx(0.502, abs=0.003)
    assert clock.corrected == pytest.approx(-0.998)


def test_round_trips_narrow_the_error_together() -> None:
    clock = PageClock(offset=-1000.0)
    clock.answered(1_000_000.0, 1_000_100.0, ours=0.001)
    clock.answered(1_000_200.0, 1_000_300.0, ours=0.299)
    assert clock.error == pytest.approx(0.001)
    assert clock.round_trips == 2
