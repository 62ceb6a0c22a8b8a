"""Every fault of the reference page, in a real call in Chromium, leads to its finding and to no other.

A sample by default, since each call takes more than a second of a core; HARNESS_ALL_PAGES=1 makes all.
"""

from __future__ import annotations

import os

import pytest

from harness.call.page_probes import PAGE_PROBES
from harness.core.events import (
    CallEnded,
    CandidateFound,
    ClockMatched,
    HarnessFailed,
    HttpRequest,
    ScreenshotTaken,
    SendingStarted,
    StatsTaken,
    StretchHeard,
    UtteranceStarted,
)
from harness.core.timeline import Timeline
from harness.requirements import REGISTRY, Outcome, judge
from tests.browser.calling import SIDE_BY_SIDE, make_page_calls
from tests.browser.page_faults import (
    FAULTLESS_PAGES,
    PLANTED_PAGES,
    PROBED_PAGES,
    UNUSABLE_PAGES,
    PlantedPage,
)
from tests.support.programs import needs_program
from tests.system.calling import until_told

FOUND = (Outcome.FAILED, Outcome.WARNED)
ALL = bool(os.environ.get("HARNESS_ALL_PAGES"))
SAMPLE = ("does-nothing", "channel-after-offer", "no-element", "mute-track", "keeps-connection", "throws")
PROBED_SAMPLE = ("keeps-call-on-leaving",)
PLANTED = [p for p in PLANTED_PAGES if ALL or p.fault in SAMPLE]
PLANTED += [p for p in PROBED_PAGES if ALL or p.fault in PROBED_SAMPLE]
FAULTLESS = [p for p in FAULTLESS_PAGES if ALL or p in FAULTLESS_PAGES[:2] or p.probe == "left"]

pytestmark = pytest.mark.timeout(900)  # the first test waits for all calls


@pytest.fixture(scope="module")
def timelines() -> dict[PlantedPage, Timeline]:
    """One call for each page; again, fewer at a time, what this machine was too slow to tell."""
    needs_program("chromium")
    pages = [*PLANTED, *FAULTLESS, *UNUSABLE_PAGES]
    made = until_told(pages, make_page_calls, is_right, at_once=SIDE_BY_SIDE)
    return dict(zip(pages, made, strict=True))


def is_right(page: PlantedPage, timeline: Timeline) -> bool:
    """Whether exactly what was planted is found."""
    return page in UNUSABLE_PAGES or found(timeline) == [each for each in (page.finds, page.also) if each]


def found(timeline: Timeline) -> list[str]:
    return [f"{v.id}: {v.cause}" for v in judge([timeline], REGISTRY) if v.outcome in FOUND]


@pytest.mark.parametrize("page", PLANTED, ids=str)
def test_a_page_fault_leads_to_its_finding_and_to_no_other(
    page: PlantedPage, timelines: dict[PlantedPage, Timeline]
) -> None:
    timeline = timelines[page]
    assert found(timeline) == [each for each in (page.finds, page.also) if each]
    assert timeline.all(HarnessFailed) == []
    assert found(Timeline.from_jsonl(timeline.to_jsonl())) == found(timeline), "a saved call is judged alike"
    assert timeline.all(ScreenshotTaken), "whoever reads the finding sees the page"


@pytest.mark.parametrize("page", FAULTLESS, ids=str)
def test_a_page_that_does_it_well_is_found_nothing_against(
    page: PlantedPage, timelines: dict[PlantedPage, Timeline]
) -> None:
    timeline = timelines[page]
    assert found(timeline) == []
    assert timeline.all(HarnessFailed) == []
    passed = {v.id for v in judge([timeline], REGISTRY) if v.outcome == Outcome.PASSED}
    if page.probe:
        assert passed & set(PAGE_PROBES[page.probe].requirements)
        return
    expected = {"page.no-key", "page.asks-for-microphone"}
    expected |= {"page.reply-played", "page.microphone-sent"} if page.says else set()
    held = page.options.microphone in ("willing", "slow")
    expected |= {"page.stop-releases", "page.listens-in-time"} if held and page.fault != "no-stop" else set()
    assert expected <= passed


def test_what_a_page_does_is_on_the_timeline(timelines: dict[PlantedPage, Timeline]) -> None:
    timeline = timelines[FAULTLESS_PAGES[0]]
    opened, sending = timeline.state("channel", "open"), timeline.first(SendingStarted)
    said, clock = timeline.first(UtteranceStarted), timeline.first(ClockMatched)
    posted = timeline.first(HttpRequest)
    assert opened is not None
    assert sending is not None
    assert said is not None
    assert clock is not None
    assert posted is not None
    assert timeline.all(CandidateFound)
    assert timeline.state("gathering", "gathering")
    assert posted.at < opened.at < said.at
    assert posted.at < sending.at < said.at
    assert sum(s.until - s.at for s in timeline.all(StretchHeard, where=lambda s: s.audible)) > 1.0
    assert timeline.all(StatsTaken)[-1].received > 50
    assert clock.round_trips >= 5
    assert clock.error_ms < 250.0, "the machine may be busy; on an idle one it is some 2 ms"
    assert [picture.why for picture in timeline.all(ScreenshotTaken)] == [
        "opened",
        "before the end",
        "after the end",
    ]
    assert all(picture.image.startswith(b"\xff\xd8") for picture in timeline.all(ScreenshotTaken))


@pytest.mark.parametrize("page", UNUSABLE_PAGES, ids=str)
def test_a_page_that_cannot_be_used_is_told_in_one_line_with_a_picture(
    page: PlantedPage, timelines: dict[PlantedPage, Timeline]
) -> None:
    ended = timelines[page].last(CallEnded)
    assert ended is not None
    assert page.finds in ended.reason
    assert "\n" not in ended.reason
    pictures = timelines[page].all(ScreenshotTaken)
    assert pictures or "cannot be loaded" in ended.reason
