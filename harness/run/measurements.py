"""Numbers over all calls of a run: stages, and what the catalogue observes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.core.audio import percentile
from harness.core.events import PacingMeasured
from harness.core.stages import durations
from harness.core.timeline import Timeline
from harness.requirements.model import Verdict

FEWEST_FOR_P95 = 20
OWN_LATENESS = "harness.pacing-lateness-p99"


@dataclass(frozen=True)
class Measurement:
    """A quantity's distribution. `p95` is None under twenty samples, which are too few for one."""

    unit: str
    count: int
    p50: float | None
    p95: float | None
    max: float | None

    @classmethod
    def of(cls, unit: str, values: Sequence[float]) -> Measurement:
        """Summarise; values are rounded to a thousandth of their unit."""
        return cls(
            unit=unit,
            count=len(values),
            p50=_rounded(percentile(values, 50)),
            p95=_rounded(percentile(values, 95)) if len(values) >= FEWEST_FOR_P95 else None,
            max=_rounded(max(values, default=None)),
        )


def collect(timelines: Iterable[Timeline], verdicts: Iterable[Verdict]) -> dict[str, tuple[str, list[float]]]:
    """Name → unit and values: stage durations in ms, the catalogue's observations by id, our own lateness."""
    values: dict[str, tuple[str, list[float]]] = {}
    for timeline in timelines:
        for stage, seconds in durations(timeline).items():
            values.setdefault(stage, ("ms", []))[1].extend(1000 * s for s in seconds)
        for pacing in timeline.all(PacingMeasured):
            values.setdefault(OWN_LATENESS, ("ms", []))[1].append(pacing.p99)
    for verdict in verdicts:
        if verdict.observation is not None and verdict.observation.values:
            observed = verdict.observation
            values.setdefault(verdict.id, (observed.unit, []))[1].extend(observed.values)
    return dict(sorted(values.items()))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
