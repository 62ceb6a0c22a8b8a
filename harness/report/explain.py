"""A verdict in words: for a terminal, a log, a report. No markup, no colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from harness.report.urgency import Urgency, hits, urgency_of, worst_first
from harness.requirements.model import Outcome, Verdict

# What a reader must act on comes first.
NAMED = 4  # of other requirements, before the rest is only counted
ACTIONABLE = (Outcome.ERROR, Outcome.FAILED, Outcome.WARNED, Outcome.INCONCLUSIVE)


def explain(verdict: Verdict, title: str = "") -> str:
    """What is wrong, what was seen, and how to fix it: a few lines."""
    # What broke on our side is no finding about the requirement that happens to be the first.
    found = f"{verdict.id}: {verdict.cause or verdict.outcome.value}"
    lines = [f"not judged: {verdict.id}" if verdict.outcome is Outcome.ERROR else found]
    if title:
        lines.append(f"  rule  {title} ({verdict.level.value})")
    if verdict.explanation:
        lines.append(f"  why   {verdict.explanation}")
    lines += [f"  seen  {evidence}" for evidence in verdict.evidence]
    if verdict.fix:
        lines.append(f"  fix   {verdict.fix}")
    lines += [f"  or    if it is {other.cause}: {other.fix}" for other in verdict.alternatives if other.fix]
    return "\n".join(lines)


@dataclass(frozen=True)
class RootCause:
    """One finding, however many calls show it. `hits`: whom it hits, in words with figures.

    `also`: the other requirements that could not be told for the very same reason.
    """

    verdict: Verdict
    scenarios: tuple[str, ...]
    urgency: Urgency
    hits: str
    also: tuple[str, ...] = ()

    def as_results(self) -> list[dict[str, str | None]]:
        """Its entries in the summary of results.json: one for each requirement."""
        told = {"urgency": self.urgency.name.lower(), "cause": self.verdict.cause, "hits": self.hits}
        return [{**told, "id": name} for name in (self.verdict.id, *self.also)]

    @property
    def beside(self) -> str:
        """`page.ready-when-open, page.listens-in-time and 113 more`; empty for none."""
        if len(self.also) <= NAMED + 1:
            return ", ".join(self.also)
        return f"{', '.join(self.also[:NAMED])} and {len(self.also) - NAMED} more"


def summary(found: RootCause, *, seen: bool = False) -> str:
    """A root cause with the calls that show it; its evidence only where asked for."""
    bare = found.verdict if seen else replace(found.verdict, evidence=())
    also = f"\n  also  {found.beside}" if found.also else ""
    return f"{explain(bare)}{also}\n  hits  {found.hits}\n  calls {', '.join(found.scenarios)}"


def heading(urgency: Urgency, causes: int) -> str:
    """`YOUR CALLERS ARE HURT TODAY (2)`."""
    return f"{urgency.value.upper()} ({causes})"


def by_urgency(causes: Sequence[RootCause]) -> list[tuple[Urgency, list[RootCause]]]:
    """Those of each urgency that there are, the worst first."""
    return [(urgency, list(found)) for urgency, found in groupby(causes, key=lambda each: each.urgency)]


def root_causes(verdicts: Iterable[Verdict]) -> list[RootCause]:
    """What to act on, the verdicts of one requirement and cause together, the worst first."""
    verdicts = list(verdicts)
    found: dict[tuple[str, str, str], list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.outcome in ACTIONABLE:
            # Each call that could not be judged has figures of its own, and one reason.
            told = "" if verdict.outcome is Outcome.INCONCLUSIVE else verdict.explanation
            cause = verdict.cause or told
            found.setdefault((verdict.id, verdict.outcome.value, cause), []).append(verdict)
    ranked = sorted(found.values(), key=lambda same: (*worst_first(same[0]), -len(same)))
    return _told_once(
        RootCause(
            same[0],
            tuple(dict.fromkeys(v.scenario for v in same)),
            urgency_of(same[0]),
            hits(same[0], same, verdicts),
        )
        for same in ranked
    )


def _told_once(causes: Iterable[RootCause]) -> list[RootCause]:
    """What broke, or was too slow to tell, is one finding, whatever it kept from a verdict."""
    kept: list[RootCause] = []
    places: dict[str, int] = {}
    for cause in causes:
        verdict = cause.verdict
        if verdict.outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE):
            if (place := places.get(verdict.explanation)) is not None:
                first = kept[place]
                kept[place] = replace(first, also=(*first.also, verdict.id))
                continue
            places[verdict.explanation] = len(kept)
        kept.append(cause)
    return kept
