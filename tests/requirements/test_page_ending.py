"""What a page lets go of at its end, where its own last words are lost with its document."""

from __future__ import annotations

import pytest

from harness.call.page_end import RELEASE_SECONDS
from harness.core.events import (
    ButtonPressed,
    CallEnded,
    ConnectionUsed,
    Event,
    NetworkImpaired,
    PageLeft,
    PageOpened,
    StateChanged,
    TrackChanged,
    UserLeft,
)
from harness.requirements import REGISTRY, Outcome, judge
from harness.requirements.page.ending import RELEASED_WITHIN
from tests.requirements.page_cases import left
from tests.support.editing import a, changed, without
from tests.support.page_timelines import PLAYING, URL, page_events, played
from tests.support.timelines import timeline_of


def outcome(events: list[Event], name: str) -> Outcome:
    return next(v for v in judge([timeline_of(events)], REGISTRY) if v.id == name).outcome


def gone_back(*told: Event) -> list[Event]:
    """Back was pressed in mid-call, and the page said nothing of an end any more."""
    early = [e for e in page_events() if e.at < 7.9]
    return [*early, UserLeft(at=7.95, how="back"), *told, *left(12.0)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ((), Outcome.FAILED),
        ((PageLeft(at=8.0, url=URL),), Outcome.PASSED),
        ((PageOpened(at=8.0, url="https://elsewhere.test/"),), Outcome.PASSED),
        ((PageOpened(at=8.0, url="https://elsewhere.test/", frame=True),), Outcome.FAILED),
        ((CallEnded(at=8.1, side="upstream", reason="hang-up"),), Outcome.PASSED),
        ((CallEnded(at=11.5, side="upstream", reason="consent-lost"),), Outcome.FAILED),
    ],
    ids=[
        "nothing",
        "its document went",
        "another came",
        "another in a frame",
        "the far end saw it",
        "too late",
    ],
)
def test_back_ends_a_call_whether_or_not_the_page_can_still_say_so(
    told: tuple[Event, ...], expected: Outcome
) -> None:
    assert outcome(gone_back(*told), "page.leaving-releases") is expected


@pytest.mark.parametrize(("after", "expected"), [(0.1, Outcome.PASSED), (2.25, Outcome.FAILED)])
def test_a_stop_that_leads_to_another_page_ends_the_call_and_our_own_leaving_does_not(
    after: float, expected: Outcome
) -> None:
    assert after < RELEASED_WITHIN or expected is Outcome.FAILED
    events = without(page_events(), a(ConnectionUsed, method="close"))
    events = without(events, a(TrackChanged, ended=True))
    stop = next(e for e in events if isinstance(e, ButtonPressed) and e.what == "stop")
    events = changed(events, a(PageLeft), at=stop.at + after)
    assert outcome(events, "page.stop-releases") is expected


def test_an_element_goes_with_its_document() -> None:
    kept = [*page_events(), played(8.015, *PLAYING)]
    assert outcome(kept, "page.clean-up-order") is Outcome.PASSED, "the page went right after it"
    stayed = changed(kept, a(PageLeft), at=lambda at: at + RELEASE_SECONDS)
    assert outcome(stayed, "page.clean-up-order") is Outcome.WARNED


def test_a_page_that_closes_its_own_connection_was_left_by_nobody() -> None:
    closed = StateChanged(at=8.05, layer="dtls", state="closed")
    before_hang_up = [*gone_back(ConnectionUsed(at=8.0, connection=1, method="close")), closed]
    assert outcome(before_hang_up, "session.stays-alive") is Outcome.PASSED
    assert outcome([*gone_back(), closed], "session.stays-alive") is Outcome.FAILED


@pytest.mark.parametrize(
    ("closed_at", "expected"), [(8.5, Outcome.NOT_APPLICABLE), (10.5, Outcome.FAILED)], ids=["dark", "light"]
)
def test_a_goodbye_into_a_dark_network_is_not_missed_at_the_upstream(
    closed_at: float, expected: Outcome
) -> None:
    dark = NetworkImpaired(at=8.0, name="blackout", seconds=20.0)
    light = NetworkImpaired(at=10.0, name="clear")
    closed = ConnectionUsed(at=closed_at, connection=1, method="close")
    early = [
        e for e in page_events() if e.at < 7.9 and not (isinstance(e, CallEnded) and e.side == "upstream")
    ]
    assert outcome([*early, dark, light, closed, *left(12.0)], "lifecycle.hang-up-releases-call") is expected
