from __future__ import annotations

from harness.core.events import PacingMeasured
from harness.core.timeline import Timeline
from harness.requirements.model import Level, Observation, Outcome, Verdict
from harness.run.measurements import OWN_LATENESS, Measurement, collect


def test_fewer_than_twenty_samples_carry_no_95th_percentile() -> None:
    assert Measurement.of("ms", [float(n) for n in range(19)]).p95 is None
    assert Measurement.of("ms", [float(n) for n in range(21)]).p95 == 19


def test_nothing_measured_is_null_and_not_zero() -> None:
    nothing = Measurement.of("ms", [])
    assert (nothing.count, nothing.p50, nothing.p95, nothing.max) == (0, None, None, None)


def test_observations_of_all_calls_are_one_distribution() -> None:
    verdicts = [
        Verdict("turns.latency", Level.OBSERVE, Outcome.OBSERVED, observation=Observation("ms", values))
        for values in ((500.0, 700.0), (600.0,))
    ]
    assert collect([], verdicts)["turns.latency"] == ("ms", [500.0, 700.0, 600.0])


def test_our_own_lateness_is_measured_too() -> None:
    timeline = Timeline([PacingMeasured(at=1.0, packets=50, p50=0.1, p99=0.4, max=2.0)])
    assert collect([timeline], [])[OWN_LATENESS] == ("ms", [0.4])
