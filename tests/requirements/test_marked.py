from __future__ import annotations

import pytest

from harness.core.events import StepEnded, StepStarted
from harness.core.probes import MARKING
from harness.requirements import REGISTRY, Outcome, judge
from tests.support.timelines import detection, healthy_events, timeline_of


@pytest.mark.parametrize(("until", "expected"), [(0.9, Outcome.PASSED), (0.2, Outcome.FAILED)])
def test_a_turn_at_our_own_tone_is_none_on_silence(until: float, expected: Outcome) -> None:
    """By which a gateway's upstream call is known: a detector may take it for speech."""
    marked = [StepStarted(at=0.1, step=MARKING), StepEnded(at=until, step=MARKING)]
    events = [*healthy_events(), *marked, *detection(0.8, 0.9, "item_of_the_tone")]
    found = {v.id: v.outcome for v in judge([timeline_of(events)], REGISTRY)}
    assert found["turns.no-turn-on-silence"] is expected
