"""A transcription that fails is a finding, unless nobody could have understood the caller."""

from __future__ import annotations

import pytest

from harness.requirements import REGISTRY, Outcome, judge
from tests.requirements.turns_cases import failed_to_be_written
from tests.support.timelines import healthy_events, timeline_of


@pytest.mark.parametrize(
    ("codes", "outcome", "words"),
    [
        ((), Outcome.NOT_APPLICABLE, "nothing that the caller said"),
        (("audio_unintelligible",), Outcome.PASSED, ""),
        (("model_not_found",), Outcome.WARNED, "'model_not_found': 'Input transcription failed.'"),
        (("audio_unintelligible", "x", "x"), Outcome.WARNED, "(2 times)"),
    ],
)
def test_what_failed_is_told_by_its_code(codes: tuple[str, ...], outcome: Outcome, words: str) -> None:
    events = [*healthy_events(), *map(failed_to_be_written, codes)]
    (found,) = judge([timeline_of(events)], [REGISTRY.get("turns.transcription-succeeds")])
    assert found.outcome == outcome
    assert words in found.explanation
