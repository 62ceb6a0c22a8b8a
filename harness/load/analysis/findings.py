"""What a search for capacity comes to: one sentence, capacity.json, and a plot of every stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from harness import __version__
from harness.load.analysis.rows import CALL, ROWS
from harness.load.analysis.slo import FAILURES, Slo, nearest_rank
from harness.load.analysis.steps import LoadStep, grown_most
from harness.load.messages import Ready
from harness.report.plot import Mark, Series, line_plot

SCHEMA = 1


@dataclass(frozen=True)
class CapacityFindings:
    """`holds`: the most calls at which every objective held; `breaks`: the fewest at which one did not.

    `broke`: what did on our own side, which is no finding about the target.
    """

    target: Ready
    seed: int
    started_at: str
    slos: tuple[Slo, ...]
    steps: tuple[LoadStep, ...]
    holds: int
    breaks: int | None
    most: int
    at_least: int = 1
    first_failure: str = ""
    interrupted: bool = False
    broke: str = ""
    over_time: Mapping[str, Any] = field(default_factory=dict)

    @property
    def saturated(self) -> LoadStep | None:
        """The smallest step at which the generator itself was too late: beyond it nothing can be told."""
        found = [step for step in self.steps if step.outcome == "saturated"]
        return min(found, key=lambda step: step.calls, default=None)

    @property
    def too_short(self) -> LoadStep | None:
        """The step in which too little was measured to tell anything."""
        return next((step for step in self.steps if step.outcome == "inconclusive"), None)

    @property
    def verdict(self) -> str:
        """`holds`, `breaks` (fewer than `at_least` were held), or `inconclusive`."""
        if self.broke:
            return "inconclusive"
        if self.holds >= self.at_least:
            beyond = self.too_short or (self.saturated if self.breaking is None else None)
            return "inconclusive" if beyond else "holds"
        return "breaks" if self.breaks is not None and self.breaks <= self.at_least else "inconclusive"

    @property
    def breaking(self) -> LoadStep | None:
        """The step that showed where it breaks."""
        found = [s for s in self.steps if s.outcome == "broken" and s.calls == self.breaks]
        return found[-1] if found else None

    @property
    def sentence(self) -> str:
        """What was learned, for people."""
        if self.first_failure:
            return f"holds no call: the first one failed with {self.first_failure}"
        said = [f"holds {self.holds} calls" if self.holds else "no number of calls was shown to hold"]
        if self.too_short is not None:
            said.append(
                f"inconclusive at {self.too_short.calls} calls: {self.too_short.because()}; "
                f"give --step-seconds more than {self.too_short.seconds:.0f}"
            )
        elif self.saturated is not None and self.breaking is None:
            said.append(
                f"inconclusive beyond: at {self.saturated.calls} calls {self.saturated.saturated}, so "
                f"the generator was saturated; this machine can carry {self._carried()} calls on time"
            )
        elif self.breaking is not None:
            said.append(f"breaks at {self.breaks} because {self.breaking.because()}{self._grown()}")
        elif not self.interrupted and not self.broke and self.holds >= self.most:
            said[0] = f"holds at least {self.holds} calls, the most that was asked for"
        if self.broke:
            said.append(f"inconclusive: {self.broke}")
        if self.interrupted:
            said.append("interrupted before the edge was found" if not self.breaking else "interrupted")
        if self.holds < self.at_least:
            said.append(f"{self.at_least} were wanted")
        return "; ".join(said)

    def _carried(self) -> int:
        return max([self.holds, *(step.health.carried for step in self.steps)])

    def _grown(self) -> str:
        first = next((step for step in self.steps if step.outcome == "held"), None)
        if first is None or self.breaking is None or (grown := grown_most(first, self.breaking)) is None:
            return ""
        row, before, after = grown
        return f"; {row} grew most, from {before:.0f} ms at {first.calls} calls to {after:.0f} ms"


def as_json(findings: CapacityFindings) -> dict[str, Any]:
    """The shape is described in docs/load.md."""
    return {
        "schema": SCHEMA,
        "kind": "capacity",
        "harness": {"version": __version__},
        "target": {
            "url": findings.target.target,
            "dialect": findings.target.dialect,
            "mode": findings.target.mode,
        },
        "seed": findings.seed,
        "started_at": findings.started_at,
        "verdict": findings.verdict,
        "sentence": findings.sentence,
        "holds": findings.holds,
        "breaks": findings.breaks,
        "because": findings.breaking.because() if findings.breaking else findings.first_failure,
        "interrupted": findings.interrupted,
        "slos": [slo.text for slo in findings.slos],
        "steps": [step.as_json() for step in findings.steps],
        "over_time": findings.over_time,
    }


def plot(findings: CapacityFindings) -> Markup:
    """Every stage over the number of calls."""
    steps = sorted(findings.steps, key=lambda step: step.calls)
    series = [
        Series(row, [(step.calls, nearest_rank(step.window.milliseconds.get(row, ()), 95)) for step in steps])
        for row in ROWS
        if any(step.window.milliseconds.get(row) for step in steps)
    ]
    marks = [Mark(slo.limit, slo.text) for slo in findings.slos if slo.row not in (FAILURES, CALL)]
    if findings.breaking is not None:
        marks.append(Mark(findings.breaking.calls, f"breaks at {findings.breaking.calls}", axis="x"))
    title = "p95 of every stage (the worst value where there are under 20)"
    return line_plot(series, title=title, x_label="calls", y_label="ms", marks=marks, log_y=True)
