from __future__ import annotations

import pytest

from harness.core.events import PacingMeasured, UtteranceStarted
from harness.requirements import REGISTRY, Outcome, judge
from tests.requirements import turns_cases
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


@pytest.mark.parametrize(
    ("noise_db", "outcome"),
    [(None, Outcome.WARNED), (20.0, Outcome.WARNED), (5.0, Outcome.PASSED), (0.0, Outcome.PASSED)],
)
def test_noise_that_hides_a_last_quiet_sound_leaves_where_speech_ends_open(
    noise_db: float | None, outcome: Outcome
) -> None:
    events = changed(turns_cases.ended_a_second_early(), a(UtteranceStarted), noise_db=noise_db)
    verdicts = {v.id: v for v in judge([timeline_of(events)], REGISTRY)}
    assert verdicts["turns.boundaries"].outcome == outcome
