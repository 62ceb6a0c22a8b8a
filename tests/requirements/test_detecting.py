from __future__ import annotations

import pytest

from harness.core.events import PacingMeasured
from harness.requirements import REGISTRY, Outcome, judge
from tests.support.editing import a, changed, told
from tests.support.timelines import healthy_events, timeline_of


@pytest.mark.parametrize(("own_worst_ms", "outcome"), [(20.0, Outcome.WARNED), (120.0, Outcome.PASSED)])
def test_what_our_own_sender_was_late_by_moves_the_boundaries_of_speech(
    own_worst_ms: float, outcome: Outcome
) -> None:
    late = changed(healthy_events(), a(PacingMeasured), p99=1.0, max=own_worst_ms)
    stamped = {"audio_start_ms": 1200 - 300}
    moved = told(late, "input_audio_buffer.speech_started", lambda event: event.update(stamped))
    punctual = PacingMeasured(at=9.0, packets=9, p50=0.1, p99=0.2, max=0.3)  # of a second connection, say
    verdicts = {v.id: v for v in judge([timeline_of([*moved, punctual])], REGISTRY)}
    assert verdicts["turns.boundaries"].outcome == outcome
