"""A verdict in words: for a terminal, a log, a report. No markup, no colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness.requirements.model import Outcome, Verdict

# What a reader must act on comes first.
ACTIONABLE = (Outcome.ERROR, Outcome.FAILED, Outcome.WARNED, Outcome.INCONCLUSIVE)


def explain(verdict: Verdict, title: str = "") -> str:
    """What is wrong, what was seen, and how to mend it: a few lines."""
    head = f"{verdict.id}: {verdict.cause or verdict.outcome.value}"
    lines = [head]
    if title:
        lines.append(f"  rule  {title} ({verdict.level.value})")
    if verdict.explanation:
        lines.append(f"  why   {verdict.explanation}")
    lines += [f"  seen  {evidence}" for evidence in verdict.evidence]
    if verdict.mend:
        lines.append(f"  mend  {verdict.mend}")
    lines += [f"  or    if it is {other.cause}: {other.mend}" for other in verdict.alternatives if other.mend]
    return "\n".join(lines)


@dataclass(frozen=True)
class RootCause:
    """One finding, however many calls show it."""

    verdict: Verdict
    scenarios: tuple[str, ...]


def summary(found: RootCause) -> str:
    """A root cause without its evidence, with the calls that show it."""
    bare = replace(found.verdict, evidence=())
    return f"{explain(bare)}\n  calls {', '.join(found.scenarios)}"


def root_causes(verdicts: Iterable[Verdict]) -> list[RootCause]:
    """Failed, warned and inconclusive verdicts, those of one requirement and cause together."""
    found: dict[tuple[str, str, str], list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.outcome in ACTIONABLE:
            # Each call that could not be judged has figures of its own, and one reason.
            told = "" if verdict.outcome is Outcome.INCONCLUSIVE else verdict.explanation
            cause = verdict.cause or told
            found.setdefault((verdict.id, verdict.outcome.value, cause), []).append(verdict)
    ranked = sorted(found.values(), key=lambda same: ACTIONABLE.index(same[0].outcome))
    return [RootCause(same[0], tuple(dict.fromkeys(v.scenario for v in same))) for same in ranked]
