from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from harness.load.analysis.health import SUSTAINED, Health
from harness.load.analysis.lateness import Lateness
from harness.load.messages import GeneratorMeasured

MILLISECONDS = st.lists(st.floats(0, 5000), min_size=1, max_size=50)


def second(
    *,
    calls: int = 10,
    ms: float = 1.0,
    lag: float = 1.0,
    cpu: float = 0.3,
    placing: tuple[float, ...] = (),
    reading: tuple[float, ...] = (),
) -> GeneratorMeasured:
    pacing, lags = (ms,) * 50, (lag,) * 20
    return GeneratorMeasured(
        at=0.0, calls=calls, cpu=cpu, pacing=pacing, lag=lags, placing=placing, reading=reading
    )


def health(*seconds: GeneratorMeasured) -> Health:
    found = Health()
    for each in seconds:
        found.add(each)
    return found


def test_a_generator_on_time_says_nothing() -> None:
    assert health(*[second()] * 10).verdict() == ""


def test_lateness_that_lasts_makes_the_run_inconclusive_and_says_what_the_machine_carries() -> None:
    verdict = health(second(calls=40), *[second(calls=60, ms=80.0)] * SUSTAINED).verdict()
    assert verdict == (
        "inconclusive: the generator was saturated (packets left 80 ms late at p99, 40 ms allowed); "
        "this machine carried 40 calls on time"
    )


def test_one_stall_is_no_saturation_but_is_seen_in_the_maximum() -> None:
    found = health(second(), second(ms=400.0), *[second()] * 5)
    assert found.saturated == ""
    assert found.as_json()["pacing_ms"]["max"] == 400.0


def test_a_busy_loop_late_orders_and_a_full_core_saturate_too() -> None:
    assert "its event loop was 90 ms late" in health(*[second(lag=90.0)] * SUSTAINED).saturated
    assert "calls began 900 ms late" in health(*[second(placing=(900.0,))] * SUSTAINED).saturated
    assert "packets were read 1200 ms late" in health(*[second(reading=(1200.0,))] * SUSTAINED).saturated
    assert "it used 97 % of a core" in health(*[second(cpu=0.97)] * SUSTAINED).saturated


def test_nobody_is_late_while_nobody_calls() -> None:
    assert health(*[second(calls=0, ms=900.0)] * 9).saturated == ""


def test_the_limit_is_that_by_which_calls_are_judged() -> None:
    found = Health({"lateness_p99_ms": 100.0})
    for _ in range(SUSTAINED):
        found.add(second(ms=80.0))
    assert found.saturated == ""


def test_workers_add_up_and_one_that_is_saturated_is_enough() -> None:
    fine, late = health(*[second()] * 3), health(second(calls=20), *[second(calls=30, ms=99.0)] * 3)
    reports = [json.loads(json.dumps(each.as_report())) for each in (fine, late)]
    whole = Health.of_workers(reports)
    assert (whole.calls, whole.carried) == (40, 30)
    assert whole.saturated == late.saturated
    assert whole.pacing.percentile(100) == 99.0
    assert len(whole.pacing) == len(fine.pacing) + len(late.pacing)


@given(MILLISECONDS, MILLISECONDS)
def test_lateness_of_two_is_that_of_all_their_values(one: list[float], other: list[float]) -> None:
    merged, together = Lateness(), Lateness()
    together.add([*one, *other])
    for values in (one, other):
        part = Lateness()
        part.add(values)
        merged.merge(Lateness(part.as_counts()))
    assert merged.as_json() == together.as_json()
    assert together.percentile(100) == round(max(*one, *other), 1)


def test_percentiles_of_nothing_are_none() -> None:
    assert Lateness().percentile(50) is None
    assert str(Lateness()) == "not measured"
