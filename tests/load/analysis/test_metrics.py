"""Load as Prometheus scrapes it."""

from __future__ import annotations

from harness.load.analysis.health import Health
from harness.load.analysis.metrics import BUCKETS, Durations, LoadNow
from harness.load.messages import GeneratorMeasured
from harness.report.prometheus import exposition


def scraped(now: LoadNow) -> dict[str, float]:
    """Each sample by its name with labels."""
    lines = [line for line in exposition(now.metrics()).splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_durations_are_counted_in_every_bucket_that_holds_them() -> None:
    found = dict(Durations({50: 1, 51: 2, 2000: 3, 31_000: 4}).in_buckets())
    assert found["0.05"] == 1
    assert found["0.1"] == found["1.5"] == 3
    assert found["2"] == found["30"] == 6
    assert found["+Inf"] == 10
    assert len(found) == len(BUCKETS) + 1
    assert list(found.values()) == sorted(found.values())


def test_a_scrape_has_stages_failures_and_what_the_generator_is_worth() -> None:
    health = Health()
    for _ in range(3):
        health.add(GeneratorMeasured(at=0.0, calls=7, cpu=0.5, pacing=(80.0,)))
    now = LoadNow({"DC open": Durations({120: 4}, 0.48)}, {("call", 'a "quoted" cause'): 2}, 7, health)
    samples = scraped(now)
    assert samples["harness_load_under_way"] == 7
    assert samples['harness_load_stage_seconds_bucket{stage="DC open",le="0.1"}'] == 0
    assert samples['harness_load_stage_seconds_bucket{stage="DC open",le="0.2"}'] == 4
    assert samples['harness_load_stage_seconds_sum{stage="DC open"}'] == 0.48
    assert samples['harness_load_stage_seconds_count{stage="DC open"}'] == 4
    assert samples[r'harness_load_failures_total{stage="call",cause="a \"quoted\" cause"}'] == 2
    assert samples["harness_load_generator_saturated"] == 1
    assert samples['harness_load_generator_late_seconds{of="pacing"}'] == 0.08
    assert samples["harness_load_generator_cpu_cores"] == 0.5


def test_nothing_measured_is_no_sample() -> None:
    assert not [name for name in scraped(LoadNow({}, {}, 0, Health())) if "stage" in name or "late" in name]
