"""What a finding means to whoever runs the relay: who is hurt by it today, and how many."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from harness.report.counting import counted
from harness.requirements.model import Because, Level, Outcome, Requirement, Severity, Verdict
from harness.requirements.registry import REGISTRY


class Urgency(StrEnum):
    """The worst first."""

    OURS = "the harness itself broke"
    HURT = "your callers are hurt today"
    LOSS = "your money or your secrets are at risk"
    HARDEN = "harden this: no caller is lost by it today"
    UNTOLD = "this could not be told"


WORST_FIRST = tuple(Urgency)
SEVEREST_FIRST = tuple(Severity)
TRIED = (
    Outcome.FAILED,
    Outcome.WARNED,
    Outcome.PASSED,
    Outcome.OBSERVED,
    Outcome.INCONCLUSIVE,
    Outcome.ERROR,
)


def urgency_of(verdict: Verdict) -> Urgency:
    """By its outcome, and by what its requirement is there for."""
    if verdict.outcome == Outcome.ERROR:
        return Urgency.OURS
    if verdict.outcome == Outcome.INCONCLUSIVE:
        return Urgency.UNTOLD
    because = because_of(verdict)
    warned = verdict.outcome == Outcome.WARNED or verdict.level != Level.MUST
    if warned or because == Because.CLAUSE:
        return Urgency.HARDEN
    if because in (Because.ADVICE, Because.MEASURED):  # binding all the same: a limit of the user's own
        return Urgency.LOSS if verdict.id.startswith(("cost.", "security.")) else Urgency.HURT
    return Urgency.LOSS if because in (Because.MONEY, Because.SECRET) else Urgency.HURT


def because_of(verdict: Verdict) -> Because:
    """Why it binds: by its cause, else by its requirement; of an unknown one a caller is lost."""
    requirement = known(verdict.id)
    if requirement is None:
        return Because.CALLER
    cause = requirement.causes.get(verdict.cause or "")
    return (cause.because if cause else None) or requirement.because


def worst_first(verdict: Verdict) -> tuple[int, int]:
    """The key to sort findings by."""
    requirement = known(verdict.id)
    severity = SEVEREST_FIRST.index(requirement.severity) if requirement else 0
    return WORST_FIRST.index(urgency_of(verdict)), severity


def hits(shown: Verdict, same: Sequence[Verdict], all_verdicts: Sequence[Verdict]) -> str:
    """`12 of 12 calls`; or whom it hits, and how often that was tried."""
    calls = len({v.call for v in same if v.call})
    judged = len({v.call for v in all_verdicts if v.id == shown.id and v.call and v.outcome in TRIED})
    requirement = known(shown.id)
    ours = shown.outcome == Outcome.ERROR  # then nobody of the target's is hit
    whom = requirement.hits if requirement and not ours else ""
    if not calls:
        return whom or "the run as a whole"
    of = f"{calls} of {counted(judged, 'call')}"
    return f"{whom} ({of} that tried it)" if whom else of


def known(requirement_id: str) -> Requirement | None:
    """The requirement, where this version of the catalogue has it."""
    return REGISTRY.get(requirement_id) if requirement_id in REGISTRY else None
