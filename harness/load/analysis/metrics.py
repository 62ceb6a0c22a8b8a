"""What load comes to while it runs, as metrics for a scraper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from harness.load.analysis.health import Health
from harness.report.prometheus import Metric

# Seconds, close around the usual objectives (2, 3 and 5 s), and at what a person notices (0.3, 1).
BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)


@dataclass
class Durations:
    """How often something took so many milliseconds, and all of them together in seconds."""

    counts: Mapping[int, int] = field(default_factory=dict)
    total: float = 0.0

    def in_buckets(self) -> Iterator[tuple[str, int]]:
        """`le` and how many took no longer."""
        per_bucket = [0] * (len(BUCKETS) + 1)
        for milliseconds, count in self.counts.items():
            place = next((i for i, le in enumerate(BUCKETS) if milliseconds <= 1000 * le), len(BUCKETS))
            per_bucket[place] += count
        return zip((*map("{:g}".format, BUCKETS), "+Inf"), accumulate(per_bucket), strict=True)


@dataclass(frozen=True)
class LoadNow:
    """What is known at this moment. `failures`: row and cause → how often; `under_way`: calls, or offers."""

    stages: Mapping[str, Durations]
    failures: Mapping[tuple[str, str], int]
    under_way: int
    health: Health

    def metrics(self) -> Iterable[Metric]:
        """Under `harness_load_`."""
        yield Metric("harness_load_under_way", "gauge", "calls or offers now", [({}, self.under_way)])
        yield self._stages()
        yield Metric(
            "harness_load_failures_total",
            "counter",
            "failures by the stage where they show, and by their cause",
            [({"stage": stage, "cause": cause}, n) for (stage, cause), n in self.failures.items()],
        )
        health = self.health
        yield Metric(
            "harness_load_generator_saturated",
            "gauge",
            "1 once this machine could not keep up: then the figures say nothing of the target",
            [({}, int(bool(health.saturated)))],
        )
        late = {
            "pacing": health.pacing,
            "loop": health.lag,
            "reading": health.reading,
            "placing": health.placing,
        }
        yield Metric(
            "harness_load_generator_late_seconds",
            "gauge",
            "99th percentile of how late the generator itself was",
            [({"of": n}, ms / 1000) for n, of in late.items() if (ms := of.percentile(99)) is not None],
        )
        yield Metric(
            "harness_load_generator_cpu_cores",
            "gauge",
            "its busiest second, as a part of one core",
            [({}, health.cpu)],
        )

    def _stages(self) -> Metric:
        values: list[tuple[Mapping[str, str], float]] = []
        suffixes: list[str] = []
        for stage, durations in self.stages.items():
            found = list(durations.in_buckets())
            values += [({"stage": stage, "le": le}, count) for le, count in found]
            values += [({"stage": stage}, durations.total), ({"stage": stage}, found[-1][1])]
            suffixes += [*["_bucket"] * len(found), "_sum", "_count"]
        return Metric("harness_load_stage_seconds", "histogram", "how long each stage took", values, suffixes)
