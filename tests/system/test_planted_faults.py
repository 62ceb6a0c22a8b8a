"""Every planted fault, in a real call, leads to exactly the finding that it should, and to no other."""

from __future__ import annotations

import pytest

from harness.core.timeline import Timeline
from harness.requirements import REGISTRY, Level, Outcome, judge
from tests.system.all_planted import PLANTED
from tests.system.calling import make_until_told
from tests.system.planted import Planted

FOUND = (Outcome.FAILED, Outcome.WARNED)


pytestmark = pytest.mark.timeout(400)  # the first test waits for all calls


@pytest.fixture(scope="module")
def timelines(request: pytest.FixtureRequest) -> dict[Planted, Timeline]:
    """One call for each fault that a selected test asks for."""
    callspecs = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = {spec.params["planted"] for spec in callspecs if spec and "planted" in spec.params}
    asked = [planted for planted in PLANTED if planted in wanted]
    return dict(zip(asked, make_until_told(asked, is_right), strict=True))


def is_right(planted: Planted, timeline: Timeline) -> bool:
    """Whether exactly what was planted is found."""
    return [f"{v.id}: {v.cause}" for v in judge([timeline], REGISTRY) if v.outcome in FOUND] == [
        planted.finds
    ]


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_planted_fault_leads_to_its_finding_and_to_no_other(
    planted: Planted, timelines: dict[Planted, Timeline]
) -> None:
    verdicts = judge([timelines[planted]], REGISTRY)
    found = {f"{v.id}: {v.cause}": v.explanation for v in verdicts if v.outcome in FOUND}
    assert list(found) == [planted.finds], found
    broken = [v for v in verdicts if v.outcome == Outcome.ERROR]
    assert not broken
    blocked = {v.id for v in verdicts if v.outcome == Outcome.BLOCKED}
    (finding,) = [v for v in verdicts if v.id == planted.requirement]
    blocks = REGISTRY.get(planted.requirement).causes[finding.cause or ""].blocks
    behind = _behind(planted.requirement, warned=finding.outcome == Outcome.WARNED)
    assert blocked == (behind if blocks else set())
    assert {v.root for v in verdicts if v.outcome == Outcome.BLOCKED} <= {planted.requirement}


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_saved_call_is_judged_as_it_was(planted: Planted, timelines: dict[Planted, Timeline]) -> None:
    timeline = timelines[planted]
    saved = Timeline.from_jsonl(timeline.to_jsonl())
    assert _verdicts(saved) == _verdicts(timeline)


def _verdicts(timeline: Timeline) -> list[tuple[str, str, str | None, str | None]]:
    """Without the moments, which a file holds to the microsecond."""
    return [(v.id, v.outcome, v.cause, v.root) for v in judge([timeline], REGISTRY)]


def _behind(requirement_id: str, *, warned: bool) -> set[str]:
    """What needs the requirement, directly or not: a warning keeps nothing from judgement that binds."""
    behind = {requirement_id}
    for requirement in REGISTRY:
        bears = warned and requirement.level == Level.MUST
        if any(need.id in behind for need in requirement.needs) and not bears:
            behind.add(requirement.id)
    return behind - {requirement_id}
