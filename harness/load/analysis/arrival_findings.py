"""What a search for the rate of offers comes to: one sentence with the reason, capacity.json, and a plot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from harness import __version__
from harness.load.analysis.arrival_steps import ArrivalStep
from harness.load.analysis.findings import SCHEMA
from harness.load.analysis.reasons import Reason, reason_of
from harness.load.analysis.rows import SDP_POST
from harness.load.analysis.slo import FAILURES, Slo, nearest_rank
from harness.load.messages import Ready
from harness.report.plot import Mark, Series, line_plot

UNIT = "offers a second"


@dataclass(frozen=True)
class ArrivalFindings:
    """`holds`: the most offers a second at which all held; `breaks`: the fewest at which something did not.

    `broke`: why a process of ours ended, which is no finding about the target.
    `beside`: sentences about what is no step: cold starts, calls that were left, a cache, failed samples.
    """

    target: Ready
    seed: int
    started_at: str
    slos: tuple[Slo, ...]
    steps: tuple[ArrivalStep, ...]
    holds: int
    breaks: int | None
    most: int
    at_least: int
    first_failure: str = ""
    interrupted: bool = False
    broke: str = ""
    beside: tuple[str, ...] = ()
    also: dict[str, Any] = field(default_factory=dict)
    violating: bool = False

    @property
    def breaking(self) -> ArrivalStep | None:
        """The step that showed where it breaks."""
        found = [s for s in self.steps if s.outcome == "broken" and s.rate == self.breaks]
        return found[-1] if found else None

    @property
    def saturated(self) -> ArrivalStep | None:
        """The slowest step at which the generator itself was too late."""
        found = [step for step in self.steps if step.outcome == "saturated"]
        return min(found, key=lambda step: step.rate, default=None)

    @property
    def too_short(self) -> ArrivalStep | None:
        """The step in which too little was measured."""
        return next((step for step in self.steps if step.outcome == "inconclusive"), None)

    @property
    def reason(self) -> Reason | None:
        """What the target, or the generator, was at the end of; None where nothing broke."""
        end = self.breaking or self.saturated
        if end is None:
            return None
        # Far beyond the edge it shows most clearly.
        broken = [step for step in self.steps if step.outcome == "broken"]
        end = max(broken, key=lambda step: step.rate, default=end)
        held = [step for step in self.steps if step.outcome == "held"]
        usual = min(held, key=lambda step: step.rate, default=None)
        return reason_of(
            end.seen, usual.seen if usual else None, end.saturated if end.outcome == "saturated" else ""
        )

    @property
    def verdict(self) -> str:
        """`holds`, `breaks`, or `inconclusive`, as for calls."""
        if self.broke:
            return "inconclusive"
        if self.violating or self.first_failure:
            return "breaks"
        if self.holds >= self.at_least:
            unclear = self.too_short or (self.saturated if self.breaking is None else None)
            return "inconclusive" if unclear else "holds"
        return "breaks" if self.breaks is not None and self.breaks <= self.at_least else "inconclusive"

    @property
    def sentence(self) -> str:
        """What was learned, for people."""
        if self.first_failure:
            return f"takes no offer: the first one failed with {self.first_failure}"
        said = [f"holds {self.holds} {UNIT}" if self.holds else f"no number of {UNIT} was shown to hold"]
        reason = self.reason
        if self.broke:
            said.append(f"inconclusive: {self.broke}")
        elif self.too_short is not None:
            said.append(f"inconclusive at {self.too_short.rate}: {self.too_short.because()}")
        elif self.breaking is not None:
            said.append(f"breaks at {self.breaks} because {self.breaking.because()}")
            said.append(f"at the end of {reason.text}" if reason else "")
        elif self.saturated is not None and reason is not None:
            said.append(f"inconclusive beyond: at {self.saturated.rate}, at the end of {reason.text}")
        elif not self.interrupted and self.holds >= self.most:
            said[0] = f"holds at least {self.holds} {UNIT}, the most that was asked for"
        if self.interrupted:
            said.append("interrupted")
        if self.holds < self.at_least:
            said.append(f"{self.at_least} were wanted")
        return "; ".join(filter(None, [*said, *self.beside]))


def as_json(findings: ArrivalFindings) -> dict[str, Any]:
    """The shape is described in docs/load.md."""
    reason = findings.reason
    return {
        "schema": SCHEMA,
        "kind": "capacity",
        "unit": UNIT,
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
        "reason": {"kind": reason.kind, "text": reason.text} if reason else None,
        "interrupted": findings.interrupted,
        "slos": [slo.text for slo in findings.slos],
        "steps": [step.as_json() for step in findings.steps],
        **findings.also,
    }


def plot(findings: ArrivalFindings) -> Markup:
    """What an offer took over the rate: the median and the tail."""
    steps = sorted(findings.steps, key=lambda step: step.rate)
    series = [
        Series(f"{SDP_POST} p{q}", [(s.rate, nearest_rank(_ms(s), q)) for s in steps]) for q in (50, 95, 99)
    ]
    marks = [Mark(slo.limit, slo.text) for slo in findings.slos if slo.row != FAILURES]
    if findings.breaking is not None:
        marks.append(Mark(findings.breaking.rate, f"breaks at {findings.breaking.rate}", axis="x"))
    return line_plot(
        series,
        title="from when an offer was due to its answer",
        x_label=UNIT,
        y_label="ms",
        marks=marks,
        log_y=True,
    )


def _ms(step: ArrivalStep) -> tuple[float, ...]:
    return tuple(step.offers.window.milliseconds.get(SDP_POST, ()))
