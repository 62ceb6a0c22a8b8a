"""A requirement's outcomes on a scenario's calls in one run: the worst of them, and how steady they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.report.saved import SavedVerdict

# What is bad about an outcome; what is not here says nothing about the target.
BADNESS = {"passed": 0, "observed": 0, "warned": 1, "failed": 2}


@dataclass(frozen=True)
class Outcomes:
    """`worst`: one of the worst verdicts; `times` of `calls` are as bad."""

    worst: SavedVerdict
    times: int
    calls: int

    @property
    def badness(self) -> int:
        return BADNESS[self.worst.outcome]

    @property
    def flaky(self) -> bool:
        """Whether calls that were made alike were judged otherwise."""
        return self.badness > 0 and self.times < self.calls

    def __str__(self) -> str:
        cause = f" ({self.worst.cause})" if self.worst.cause else ""
        often = f" in {self.times} of {self.calls} calls" if self.calls > 1 else ""
        return f"{self.worst.outcome}{cause}{often}"


def outcomes(verdicts: Iterable[SavedVerdict]) -> dict[tuple[str, str], Outcomes]:
    """By scenario and requirement, in their order; what says nothing about the target is left out."""
    found: dict[tuple[str, str], list[SavedVerdict]] = {}
    for verdict in verdicts:
        if verdict.outcome in BADNESS:
            found.setdefault((verdict.scenario, verdict.id), []).append(verdict)
    return {key: _of(same) for key, same in found.items()}


def _of(same: list[SavedVerdict]) -> Outcomes:
    worst = max(same, key=lambda v: BADNESS[v.outcome])
    as_bad = [v for v in same if BADNESS[v.outcome] == BADNESS[worst.outcome]]
    return Outcomes(worst, len(as_bad), len(same))
