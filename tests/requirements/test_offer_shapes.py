from __future__ import annotations

import pytest

from harness.core.offer_shapes import AGAIN, LINES, MINIMAL, OTHER_SHAPE, SMALLEST, SMALLEST_AS_LONG
from harness.requirements import REGISTRY, Outcome, judge
from harness.requirements.model import Verdict
from tests.requirements.signaling_building import Events, answered, refused
from tests.requirements.signaling_offer_shapes_cases import (
    EXTENSION,
    INVALID,
    examined,
    smallest_passes,
    tried,
)
from tests.support.timelines import healthy_events, timeline_of


def verdict_on(events: Events, requirement: str = "signaling.offer-shape-accepted") -> Verdict:
    verdicts = judge([timeline_of(events)], REGISTRY)
    return next(v for v in verdicts if v.id == requirement)


def refused_whatever_the_shape() -> Events:
    return examined(
        tried(SMALLEST_AS_LONG, accepted=False, shape=MINIMAL), tried(SMALLEST, accepted=False, shape=MINIMAL)
    )


def accepted_once_more() -> Events:
    *events, ended = refused(400, INVALID)
    smallest = tried(SMALLEST_AS_LONG, accepted=True, shape=MINIMAL)
    return [*events, smallest, tried(AGAIN, accepted=True), ended]


@pytest.mark.parametrize(
    "events", [refused(401, INVALID), refused_whatever_the_shape(), accepted_once_more()], ids=lambda _: ""
)
def test_a_refusal_that_is_not_about_the_shape_stays_what_it_was(events: Events) -> None:
    assert verdict_on(events).outcome == Outcome.NOT_APPLICABLE
    assert verdict_on(events, "signaling.offer-accepted").outcome == Outcome.FAILED


def test_an_offer_that_is_accepted_passes() -> None:
    assert verdict_on(healthy_events()).outcome == Outcome.PASSED


def test_the_verdict_names_the_shapes_the_line_and_what_the_relay_said() -> None:
    events = smallest_passes(
        tried(OTHER_SHAPE, accepted=True, shape="firefox"),
        tried(OTHER_SHAPE, accepted=False, shape="libwebrtc"),
        tried(LINES, True, "chromium", "without a=extmap", EXTENSION),
    )
    said = verdict_on(events).explanation
    assert "as chromium writes it is refused, without a=extmap it is accepted" in said
    assert f"line 17 is {EXTENSION!r}" in said
    assert "accepted: minimal, firefox; refused: chromium, libwebrtc" in said
    assert "status 400" in said
    assert "the offer is invalid" in said


def test_without_a_search_the_verdict_says_that_there_was_none() -> None:
    said = verdict_on(smallest_passes()).explanation
    assert "one as minimal writes it is accepted" in said
    assert "--find-line" in said


def test_an_error_that_comes_with_success_is_a_refusal_too() -> None:
    *events, ended = answered(INVALID)
    smallest, again = tried(SMALLEST_AS_LONG, accepted=True, shape=MINIMAL), tried(AGAIN, accepted=False)
    changed = tried(LINES, True, "chromium", "without a=extmap", EXTENSION)
    found = [*events, smallest, again, changed, ended]
    assert verdict_on(found).cause == "line-refused"
    assert verdict_on(found, "signaling.answer-is-sdp").outcome == Outcome.BLOCKED


def test_every_further_offer_is_quoted() -> None:
    evidence = [e.text for e in verdict_on(smallest_passes(tried(LINES, False))).evidence]
    assert any("offered as chromium once more" in text and "refused: 400" in text for text in evidence)
    assert any("offered as minimal made as long" in text and "accepted" in text for text in evidence)
