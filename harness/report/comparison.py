"""Two runs side by side: what got worse beyond noise, by a stated test under stated assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.core.errors import UsageError
from harness.core.extras import needs_extra
from harness.report.outcomes import Outcomes, outcomes
from harness.report.saved import SAMPLES, SavedRun, SavedTarget
from harness.run.measurements import OWN_LATENESS

ALPHA = 0.05
SMALLEST_PART = 0.10  # of the earlier median: a smaller change is not worth waking anybody
SMALLEST_MS = 20.0  # one frame: nothing here is known more exactly
LATE_MS = 10.0  # our own p99 lateness, from where a slower run may be ours

TEST = (
    f"Mann-Whitney U, one-sided, at {ALPHA:g} after Holm's correction over all quantities; and the median "
    f"moved by {SMALLEST_PART:.0%} and {SMALLEST_MS:g} ms or more. It assumes that a run's samples are "
    "independent of each other; calls made side by side are not wholly so."
)


@dataclass(frozen=True)
class OutcomeChange:
    """A requirement that was judged otherwise on the same scenario's calls."""

    before: Outcomes
    after: Outcomes

    def __str__(self) -> str:
        return f"{self.after.worst.id} in {self.after.worst.scenario}: {self.before}, now {self.after}"


@dataclass(frozen=True)
class Shift:
    """A quantity's medians in both runs, and how likely such samples are if nothing changed."""

    name: str
    unit: str
    before: float
    after: float
    counts: tuple[int, int]
    p: float

    def __str__(self) -> str:
        return (
            f"{self.name}: median {self.before:g} {self.unit}, now {self.after:g} {self.unit} "
            f"({self.after - self.before:+.4g} {self.unit}; "
            f"n = {self.counts[0]} and {self.counts[1]}, p = {self.p:.2g})"
        )


@dataclass(frozen=True)
class Comparison:
    """What changed from the earlier run to the later one."""

    worse: tuple[OutcomeChange | Shift, ...] = ()
    better: tuple[OutcomeChange | Shift, ...] = ()
    too_few: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def compare(before: SavedRun, after: SavedRun) -> Comparison:
    """Compare two runs. Raises UsageError where they were made under other conditions."""
    if after.more is None:
        raise UsageError(f"the later run has no {SAMPLES}", "keep the run's whole directory")
    check_comparable(before, after.target, after.conditions)
    changes = _outcome_changes(before, after)
    shifts, too_few = _shifts(before, after)
    worse = [c for c in changes if c.after.badness > c.before.badness]
    better = [c for c in changes if c.after.badness < c.before.badness]
    return Comparison(
        worse=(*worse, *(s for s in shifts if s.after > s.before)),
        better=(*better, *(s for s in shifts if s.after < s.before)),
        too_few=tuple(too_few),
        notes=tuple(_notes(before, after, changes)),
    )


def check_comparable(before: SavedRun, target: SavedTarget, conditions: Mapping[str, str]) -> None:
    """Raises UsageError where a run of `target` like this cannot be compared with an earlier one."""
    if before.more is None:
        raise UsageError(f"the earlier run has no {SAMPLES}", "keep the run's whole directory")
    a = _identity(before.target) | before.conditions
    b = _identity(target) | dict(conditions)
    for name in dict.fromkeys((*a, *b)):
        was, now = a.get(name, "unknown"), b.get(name, "unknown")
        if was != now:
            raise UsageError(
                f"the runs cannot be compared: the {name} was {was!r} and is {now!r}",
                "compare runs of one target that were made the same way",
            )


def _identity(target: SavedTarget) -> dict[str, str]:
    # The embedded pair takes a free port each time; it is the same relay all the same.
    url = "the embedded relay" if target.mode == "embedded" else target.url
    return {"target": url, "mode": target.mode, "dialect": target.dialect}


def _outcome_changes(before: SavedRun, after: SavedRun) -> list[OutcomeChange]:
    was, now = outcomes(before.requirements), outcomes(after.requirements)
    pairs = [(was[key], found) for key, found in now.items() if key in was]
    return [OutcomeChange(a, b) for a, b in pairs if a.badness != b.badness]


def _flaky(before: SavedRun, after: SavedRun) -> list[str]:
    """What was judged now so, now so, in calls that were made alike: no change, but no rest either."""
    was, now = outcomes(before.requirements), outcomes(after.requirements)
    return [
        f"flaky: {requirement} in {scenario} {found}" + (f"; before, {was[key]}" if key in was else "")
        for key, found in now.items()
        for scenario, requirement in [key]
        if found.flaky or (key in was and was[key].flaky and found.badness == was[key].badness)
    ]


def _shifts(before: SavedRun, after: SavedRun) -> tuple[list[Shift], list[str]]:
    """Durations alone: of them it is known which way is worse."""
    tested, too_few = [], []
    for name in sorted(before.samples.keys() & after.samples.keys() - {OWN_LATENESS}):
        x, y = before.samples[name], after.samples[name]
        if not x or not y or after.measurements[name].unit != "ms":
            continue
        shift = _shift(name, x, y)
        if _smallest_p(len(x), len(y)) > ALPHA:
            too_few.append(f"{name} ({len(x)} and {len(y)})")
        else:
            tested.append(shift)
    return [s for s in _holm(tested) if _matters(s)], too_few


def _shift(name: str, x: Sequence[float], y: Sequence[float]) -> Shift:
    median_x, median_y = _median(x), _median(y)
    alternative = "less" if median_y > median_x else "greater"
    return Shift(name, "ms", median_x, median_y, (len(x), len(y)), _chance(x, y, alternative))


def _holm(shifts: Sequence[Shift]) -> list[Shift]:
    """Those that stand after Holm's step-down correction for having tested them all."""
    ranked = sorted(shifts, key=lambda s: s.p)
    for rank, shift in enumerate(ranked):
        if shift.p > ALPHA / (len(ranked) - rank):
            return ranked[:rank]
    return ranked


def _matters(shift: Shift) -> bool:
    moved = abs(shift.after - shift.before)
    return moved >= SMALLEST_MS and moved >= SMALLEST_PART * shift.before


def _smallest_p(n: int, m: int) -> float:
    """What the test says where every value of one sample is above every value of the other."""
    return _chance(range(n), range(n, n + m), "less")


def _chance(x: Sequence[float], y: Sequence[float], alternative: str) -> float:
    with needs_extra("quality", "a comparison"):
        from scipy.stats import mannwhitneyu  # a second of importing, which most runs do not need

    return float(mannwhitneyu(x, y, alternative=alternative).pvalue)


def _median(values: Sequence[float]) -> float:
    ranked = sorted(values)
    middle = len(ranked) // 2
    return ranked[middle] if len(ranked) % 2 else (ranked[middle - 1] + ranked[middle]) / 2


def _notes(before: SavedRun, after: SavedRun, changes: Sequence[OutcomeChange]) -> list[str]:
    notes = []
    if before.harness.version != after.harness.version:
        notes.append(f"another harness: {before.harness.version}, now {after.harness.version}")
    had, has = ({v.scenario for v in run.requirements} for run in (before, after))
    if had - has:
        notes.append(f"not made this time: {', '.join(sorted(had - has))}")
    if has - had:
        notes.append(f"not made before: {', '.join(sorted(has - had))}")
    notes += _flaky(before, after)
    if any(change.after.calls == 1 for change in changes):
        notes.append("an outcome is of one call: --repeat 5 tells a change from a chance")
    lateness = after.measurements.get(OWN_LATENESS)
    if lateness is not None and lateness.max is not None and lateness.max > LATE_MS:
        notes.append(f"our own sender was up to {lateness.max:g} ms late: what is slower may be this machine")
    return notes


def as_lines(comparison: Comparison) -> list[str]:
    """The comparison in words, without markup."""
    lines = [f"worse   {change}" for change in comparison.worse]
    lines += [f"better  {change}" for change in comparison.better]
    if not lines:
        lines.append("nothing changed beyond noise")
    if comparison.too_few:
        lines.append(f"too few samples to tell: {', '.join(comparison.too_few)}")
    lines += [f"note    {note}" for note in comparison.notes]
    lines.append(f"test    {TEST}")
    return lines
