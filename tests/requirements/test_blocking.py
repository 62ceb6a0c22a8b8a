"""What a warning keeps from judgement, and what it does not; and findings that bind more than their rule."""

from __future__ import annotations

import pytest

from harness.core.timeline import Timeline
from harness.requirements import Because, Level, Outcome, Registry, Severity, Violation, judge
from harness.requirements.model import Finding
from tests.requirements.test_judging import CAUSES, SOURCE, judged
from tests.support.timelines import healthy_call


@pytest.mark.parametrize(
    ("level", "outcome"), [(Level.MUST, Outcome.PASSED), (Level.SHOULD, Outcome.BLOCKED)]
)
def test_a_warning_blocks_what_would_warn_and_nothing_that_binds(level: Level, outcome: Outcome) -> None:
    """Else a call in which nothing is heard would be conforming, for an oddity before it."""
    registry = Registry()

    def declare(name: str, level: Level, finding: Finding, *needs: str) -> None:
        @registry.requirement(
            name,
            "A title",
            level=level,
            because=Because.CALLER if level == Level.MUST else Because.ADVICE,
            severity=Severity.NORMAL,
            source=SOURCE,
            causes=CAUSES,
            needs=needs,
        )
        def check(timeline: Timeline) -> Finding:
            return finding

    declare("area.odd", Level.SHOULD, Violation("broken", "so"))
    declare("area.between", Level.SHOULD, None, "area.odd")
    declare("area.behind", level, None, "area.between")
    verdicts = {v.id: v.outcome for v in judge([healthy_call()], registry)}
    assert verdicts["area.between"] == Outcome.BLOCKED
    assert verdicts["area.behind"] == outcome
    strict = {v.id: v.outcome for v in judge([healthy_call()], registry, strict=True)}
    assert strict["area.behind"] == Outcome.BLOCKED


def test_a_finding_may_bind_more_than_its_requirement() -> None:
    """As where the user configured the limit."""
    warned = judged(Violation("broken", "so"), level=Level.SHOULD)
    assert (warned.outcome, warned.level) == (Outcome.WARNED, Level.SHOULD)
    failed = judged(Violation("broken", "so", level=Level.MUST), level=Level.SHOULD)
    assert (failed.outcome, failed.level) == (Outcome.FAILED, Level.MUST)
