"""What a soak watches: the generator's own resources, the target's where they are seen, and every stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from harness import __version__
from harness.core.audio import percentile
from harness.load.analysis.health import Health
from harness.load.analysis.rows import ROWS, SDP_POST
from harness.load.analysis.slo import FAILURES, SloValue, Window
from harness.load.analysis.trend import Tolerance, Trend, trend
from harness.load.messages import Ready
from harness.report.plot import Mark, Series, line_plot

MIB = 1024 * 1024
SCHEMA = 1
MEMORY = ("MiB", Tolerance(10.0, 0.10, settles=180.0))
TAIL = f"{SDP_POST} p95"
LIVE = "calls live at the fake"

# Series → unit, and what it may rise by in a run before that is called a leak or a drift.
OF_GENERATOR = {
    "memory": MEMORY,
    "descriptors": ("", Tolerance(5.0, 0.10)),
    "tasks": ("", Tolerance(5.0, 0.10)),
    "Locust's memory": MEMORY,
    "the fake's memory": MEMORY,
}
OF_TARGET = {
    "the target's memory": MEMORY,
    # Each offer that waits has a connection or two; what leaks has one for every so many of all.
    "the target's descriptors": ("", Tolerance(50.0, 0.50)),
    LIVE: ("", Tolerance(1.0, 0.10)),
    **{row: ("ms", Tolerance(20.0, 0.20)) for row in (SDP_POST, TAIL, *ROWS)},
}
ALL = {**OF_GENERATOR, **OF_TARGET}


@dataclass(frozen=True)
class Sample:
    """A stretch of the soak that ended `at` seconds after its beginning; None was not measured."""

    at: float
    values: dict[str, float | None]
    window: Window


@dataclass(frozen=True)
class SoakFindings:
    """What was seen in `seconds` at `calls` calls; or offers a second, where `unit` says so.

    `slos`: what came of each objective in the whole of it; where none is about failures, none may be.
    `beside`: sentences about what no series has; `violating`: whether they are findings. `also`: for the
    report. `broke`: what did on our own side.
    """

    target: Ready
    seed: int
    started_at: str
    calls: float
    seconds: float
    samples: tuple[Sample, ...]
    health: Health
    failures: tuple[tuple[str, str, int], ...]
    ended: int
    failed: int
    first_failure: str = ""
    interrupted: bool = False
    broke: str = ""
    unit: str = ""
    slos: tuple[SloValue, ...] = ()
    beside: tuple[str, ...] = ()
    violating: bool = False
    also: Mapping[str, Any] = field(default_factory=dict)

    def trends(self) -> dict[str, Trend]:
        """Of each series that was measured."""
        found = {}
        for name, (_, tolerance) in ALL.items():
            points = [(s.at, v) for s in self.samples if (v := s.values.get(name)) is not None]
            if points:
                found[name] = trend(points, tolerance)
        return found

    @property
    def verdict(self) -> str:
        """`violating` (the target drifts, leaks or fails), `broken` (we do), `inconclusive`, or `steady`.

        Calls may fail because the generator was late itself, as replies then are cut short.
        """
        rising = self.rising()
        if self.first_failure or self.violating or (self._fails() and not self.health.saturated):
            return "violating"
        if self.broke or any(name in OF_GENERATOR for name in rising):
            return "broken"
        if self.health.saturated:
            return "inconclusive"
        if rising or any(each.kept is False for each in self.slos):
            return "violating"
        told = [t.rises for name, t in self.trends().items() if name in OF_TARGET]
        untold = any(each.kept is None for each in self.slos) or all(rises is None for rises in told)
        return "inconclusive" if untold else "steady"

    def _fails(self) -> bool:
        of_failures = [each for each in self.slos if each.slo.row == FAILURES]
        return any(each.kept is False for each in of_failures) if of_failures else self.failed > 0

    def rising(self) -> list[str]:
        """The series that drift."""
        return [name for name, found in self.trends().items() if found.rises]

    @property
    def what(self) -> str:
        """What was made, in words."""
        return "offers" if self.unit else "calls"

    @property
    def sentence(self) -> str:
        """What was learned, for people."""
        if self.first_failure:
            return f"the first {self.what.removesuffix('s')} failed with {self.first_failure}"
        said = [f"{self.ended} {self.what} ended in {self.seconds / 60:.1f} min, {self.failed} failed"]
        said += [str(each) for each in self.slos]
        said += [f"{count} times {row}: {failure}" for row, failure, count in self.failures[:3]]
        trends = self.trends()
        for name in self.rising():
            unit, _ = ALL[name]
            whose = "the generator's own " if name in ("memory", "descriptors", "tasks") else ""
            found = trends[name]
            said.append(
                f"{whose}{name} rose by {found.rise:.3g} {unit}".rstrip() + f" (p = {found.p_value:.1g})"
            )
        if self.broke:
            said.append(self.broke)
        said += self.beside
        if self.health.saturated:
            said.append(self.health.verdict())
        if self.verdict == "steady":
            said.append("nothing drifts")
        elif self.verdict == "inconclusive" and not self.health.saturated:
            said.append("too short to tell a drift")
        if self.interrupted:
            said.append("interrupted")
        return "; ".join(filter(None, said))


def values_of(window: Window, watched: dict[str, float | None], live: int | None) -> dict[str, float | None]:
    """One sample's values by series: medians of the stages, and what is counted."""
    return {
        **watched,
        LIVE: live,
        **{row: percentile(window.milliseconds.get(row, ()), 50) for row in ROWS},
    }


def as_json(findings: SoakFindings) -> dict[str, Any]:
    """The shape is described in docs/load.md."""
    return {
        "schema": SCHEMA,
        "kind": "soak",
        "harness": {"version": __version__},
        "target": {
            "url": findings.target.target,
            "dialect": findings.target.dialect,
            "mode": findings.target.mode,
        },
        "seed": findings.seed,
        "started_at": findings.started_at,
        **({"unit": findings.unit} if findings.unit else {}),
        "calls": findings.calls,
        "seconds": round(findings.seconds, 1),
        "verdict": findings.verdict,
        "sentence": findings.sentence,
        "interrupted": findings.interrupted,
        "ended": findings.ended,
        "failed": findings.failed,
        "failures": [{"row": r, "failure": f, "count": n} for r, f, n in findings.failures],
        "slos": [each.as_json() for each in findings.slos],
        "series": {name: _series(name, findings.samples, found) for name, found in findings.trends().items()},
        "generator": findings.health.as_json(),
        **findings.also,
    }


def plot(findings: SoakFindings) -> Markup:
    """The median of every stage over time, and of offers alone the p95 too."""
    series = [
        Series(row, [(sample.at / 60, sample.values.get(row)) for sample in findings.samples])
        for row in dict.fromkeys((SDP_POST, TAIL, *ROWS))
        if any(sample.values.get(row) is not None for sample in findings.samples)
    ]
    title = f"Median of every stage at {findings.calls:g} {findings.unit or 'calls'}"
    marks = [Mark(each.slo.limit, each.slo.text) for each in findings.slos if each.slo.row != FAILURES]
    return line_plot(series, title=title, x_label="minutes", y_label="ms", marks=marks, log_y=True)


def _series(name: str, samples: Sequence[Sample], found: Trend) -> dict[str, Any]:
    return {
        "unit": ALL[name][0],
        "of": "generator" if name in OF_GENERATOR else "target",
        "points": [
            [round(s.at, 1), round(value, 3)] for s in samples if (value := s.values.get(name)) is not None
        ],
        "median": found.median,
        "rise": found.rise,
        "p_value": found.p_value,
        "rises": found.rises,
    }
