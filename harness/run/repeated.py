"""One requirement on several calls of one scenario: what it comes to, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.requirements.model import Outcome, Verdict

WORST_FIRST = (
    Outcome.ERROR,
    Outcome.FAILED,
    Outcome.WARNED,
    Outcome.INCONCLUSIVE,
    Outcome.BLOCKED,
    Outcome.OBSERVED,
    Outcome.PASSED,
    Outcome.NOT_APPLICABLE,
)


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """The worst of them; where they differ, it says on how many of the calls: `3 of 5 calls: …`."""
    worst = min(verdicts, key=lambda v: WORST_FIRST.index(v.outcome))
    judged = [v for v in verdicts if v.outcome is not Outcome.NOT_APPLICABLE]
    same = [v for v in judged if v.outcome is worst.outcome]
    if len(verdicts) == 1 or len(same) == len(judged):
        return worst
    return replace(worst, explanation=f"{len(same)} of {len(judged)} calls: {worst.explanation}")
