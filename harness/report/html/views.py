"""What the page shows of a run's verdicts: findings, and what became of each requirement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.report.explain import ACTIONABLE, root_causes
from harness.report.html.repeating import repeat_requirement
from harness.report.html.words import SIGNS, VERDICT_SIGNS, WORST_FIRST, counted
from harness.report.plot.svg import element
from harness.report.urgency import Urgency, known
from harness.requirements.model import Outcome, Requirement, Verdict
from harness.requirements.registry import REGISTRY
from harness.run.model import CallEntry, Run, RunVerdict

CELL, CELLS_IN_ROW = 11, 32
# What a reader asks about call by call; the other outcomes are told together.
SINGLE = (*ACTIONABLE, Outcome.OBSERVED)


@dataclass(frozen=True)
class Headline:
    """The run in a sentence."""

    sign: str
    text: str
    why: str
    counts: tuple[tuple[Outcome, int], ...]


@dataclass(frozen=True)
class Finding:
    """One root cause: the verdict that shows it first, and where else it was seen."""

    verdict: Verdict
    requirement: Requirement | None
    urgency: Urgency
    hits: str
    calls: tuple[str, ...]
    blocked: int
    command: str
    also: str


@dataclass(frozen=True)
class Told:
    """One outcome with its reason, and the calls of which it is true."""

    verdict: Verdict
    calls: tuple[str, ...]


@dataclass(frozen=True)
class RequirementRow:
    """One requirement over all calls. `cells` draws one square a call."""

    id: str
    requirement: Requirement | None
    counts: tuple[tuple[Outcome, int], ...]
    cells: Markup
    told: tuple[Told, ...]
    command: str

    @property
    def worst(self) -> Outcome:
        return self.counts[0][0]


@dataclass(frozen=True)
class Area:
    """A stage of the catalogue."""

    name: str
    rows: tuple[RequirementRow, ...]
    counts: tuple[tuple[Outcome, int], ...]

    @property
    def broken(self) -> bool:
        """Whether there is something to act on."""
        return any(outcome in ACTIONABLE for outcome, _ in self.counts)


def headline(run: Run) -> Headline:
    """The word about the target, and why."""
    outcomes = tally(run.verdicts)
    failed = {v.id for v in run.verdicts if v.outcome == Outcome.FAILED}
    warned = {v.id for v in run.verdicts if v.outcome == Outcome.WARNED}
    match run.verdict:
        case RunVerdict.CONFORMING:
            text = "The relay conforms"
            why = f"{counted(len({v.id for v in run.verdicts}), 'requirement')} over "
            why += counted(len(run.calls), "call")
            why += f"; {counted(len(warned), 'warning')}" if warned else ""
        case RunVerdict.VIOLATING:
            text = f"The relay violates {counted(len(failed), 'requirement')}"
            causes = [f for f in root_causes(run.verdicts) if f.verdict.outcome == Outcome.FAILED]
            hurting = sum(f.urgency == Urgency.HURT for f in causes)
            why = counted(len(causes), "root cause")
            why += (
                f", of which {hurting} {'hurts' if hurting == 1 else 'hurt'} callers today"
                if hurting
                else "; none of it hurts callers today"
            )
        case RunVerdict.UNREACHABLE:
            text, why = "Nothing answered", run.unreachable
        case RunVerdict.INCONCLUSIVE:
            text, why = "No verdict", "too little could be judged: see this run's own reliability"
    return Headline(VERDICT_SIGNS[run.verdict], text, why, outcomes)


def findings(run: Run) -> list[Finding]:
    """Root causes, what to act on first coming first."""
    entries = {call.id: call for call in run.calls}
    found = []
    for cause in root_causes(run.verdicts):
        shown = cause.verdict
        same = [
            v for v in run.verdicts if (v.id, v.outcome, v.cause) == (shown.id, shown.outcome, shown.cause)
        ]
        calls = tuple(dict.fromkeys(v.call for v in same if v.call in entries))
        behind = [v for v in run.verdicts if v.root == shown.id and v.call in calls]
        found.append(
            Finding(
                shown,
                known(shown.id),
                cause.urgency,
                cause.hits,
                calls,
                len(behind),
                _command(run, [entries[call] for call in calls], shown.id),
                cause.beside,
            )
        )
    return found


def areas(run: Run) -> list[Area]:
    """The judged part of the catalogue, in the order of a call."""
    by_id: dict[str, list[Verdict]] = {}
    for verdict in run.verdicts:
        by_id.setdefault(verdict.id, []).append(verdict)
    order = {requirement.id: i for i, requirement in enumerate(REGISTRY)}
    names = sorted(by_id, key=lambda rid: order.get(rid, len(order)))
    found = []
    for area in dict.fromkeys(name.partition(".")[0] for name in names):
        own = [name for name in names if name.partition(".")[0] == area]
        rows = tuple(_row(run, rid, by_id[rid]) for rid in own)
        found.append(Area(area, rows, tally(v for rid in own for v in by_id[rid])))
    return found


def tally(verdicts: Iterable[Verdict]) -> tuple[tuple[Outcome, int], ...]:
    """Outcomes with their numbers, the worst first."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    return tuple((outcome, counts[outcome]) for outcome in WORST_FIRST if counts[outcome])


def _row(run: Run, rid: str, verdicts: Sequence[Verdict]) -> RequirementRow:
    entries = [call for call in run.calls if any(v.call == call.id for v in verdicts)]
    worst = next(iter(tally(verdicts)))[0]
    shown = [call for call in entries if any(v.call == call.id and v.outcome == worst for v in verdicts)]
    return RequirementRow(
        rid,
        known(rid),
        tally(verdicts),
        _cells(verdicts),
        tuple(_told(verdicts)),
        _command(run, shown or entries, rid),
    )


def _told(verdicts: Sequence[Verdict]) -> list[Told]:
    found: dict[tuple[str, ...], list[Verdict]] = {}
    for verdict in verdicts:
        alone = (verdict.call,) if verdict.outcome in SINGLE else ()
        found.setdefault((verdict.outcome.value, verdict.explanation, *alone), []).append(verdict)
    told = [Told(same[0], tuple(v.call for v in same if v.call)) for same in found.values()]
    return sorted(told, key=lambda t: WORST_FIRST.index(t.verdict.outcome))


def _command(run: Run, calls: Sequence[CallEntry], rid: str) -> str:
    """On a call where it is a test of its own, if there is one."""
    best = next((call for call in calls if rid in call.judged), next(iter(calls), None))
    return repeat_requirement(run, best, rid) if best is not None else ""


def _cells(verdicts: Sequence[Verdict]) -> Markup:
    """One square for each verdict, by outcome: a path for each colour keeps the page small."""
    places: dict[Outcome, list[str]] = {}
    for i, verdict in enumerate(verdicts):
        x, y = i % CELLS_IN_ROW * CELL, i // CELLS_IN_ROW * CELL
        places.setdefault(verdict.outcome, []).append(f"M{x} {y}h9v9h-9z")
    paths = [element("path", d="".join(d), class_=f"o-{outcome.value}") for outcome, d in places.items()]
    rows = (len(verdicts) - 1) // CELLS_IN_ROW + 1
    width = min(len(verdicts), CELLS_IN_ROW) * CELL
    return element("svg", *paths, class_="cells", width=width, height=rows * CELL, aria_hidden="true")


def sign(outcome: Outcome) -> str:
    """The outcome's sign."""
    return SIGNS[outcome]
