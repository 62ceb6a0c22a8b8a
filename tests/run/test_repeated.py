from __future__ import annotations

import pytest

from harness.requirements.model import Level, Outcome, Verdict
from harness.run.repeated import together


def verdict(outcome: Outcome) -> Verdict:
    return Verdict("a.one", Level.MUST, outcome, explanation="why")


@pytest.mark.parametrize(
    ("outcomes", "comes_to", "says"),
    [
        (("passed",), "passed", "why"),
        (("failed",), "failed", "why"),
        (("passed", "failed", "failed", "passed", "failed"), "failed", "3 of 5 calls: why"),
        (("failed", "failed"), "failed", "why"),
        (("not-applicable", "failed", "passed"), "failed", "1 of 2 calls: why"),
        (("not-applicable", "not-applicable"), "not-applicable", "why"),
        (("observed", "observed"), "observed", "why"),
        (("error", "failed"), "error", "1 of 2 calls: why"),
    ],
)
def test_the_worst_counts_and_says_how_often(outcomes: tuple[str, ...], comes_to: str, says: str) -> None:
    found = together([verdict(Outcome(each)) for each in outcomes])
    assert (found.outcome.value, found.explanation) == (comes_to, says)
