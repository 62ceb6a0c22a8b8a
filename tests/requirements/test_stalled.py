"""What came too late says nothing of the target where we stood still ourselves."""

from __future__ import annotations

import pytest

from harness.core.events import AudioCompared, Event, PacingMeasured, Stalled, StateChanged, StatsTaken
from harness.core.events.base import Side
from harness.requirements.judging import judge
from harness.requirements.model import Outcome, Verdict
from harness.requirements.registry import REGISTRY
from tests.requirements.audio_cases import arriving
from tests.requirements.test_light_records import lightly
from tests.support.editing import a, changed
from tests.support.page_timelines import page_events
from tests.support.timelines import healthy_events, timeline_of


def verdict(seconds: float, side: Side = "caller", **limits: float) -> Verdict:
    """Of a call whose channel opened six seconds late, while one end stood still for so long."""
    halves = [Stalled(at=at, side=side, seconds=seconds / 2) for at in (3.0, 5.0)]
    return of_late_channel(*halves, **limits)


def of_late_channel(*own: Event, **limits: float) -> Verdict:
    events = healthy_events("embedded", **limits)
    late = changed(events, a(StateChanged, layer="channel", state="open"), at=lambda at: at + 6.0)
    late += own
    timeline = timeline_of(sorted(late, key=lambda e: e.at))
    (found,) = judge([timeline], [REGISTRY.get("connectivity.data-channel-opens")])
    return found


@pytest.mark.parametrize("side", ["caller", "upstream"])
def test_a_late_channel_is_inconclusive_where_an_end_of_ours_stood_still(side: Side) -> None:
    found = verdict(1.2, side)
    assert found.outcome == Outcome.INCONCLUSIVE
    assert "stood still for 1.2 s" in found.explanation


def test_a_short_stall_excuses_nothing() -> None:
    assert (verdict(0.8).outcome, verdict(0.8).cause) == (Outcome.FAILED, "channel-late")


@pytest.mark.parametrize(("behind", "outcome"), [(1.2, Outcome.INCONCLUSIVE), (0.8, Outcome.FAILED)])
def test_an_end_that_fell_behind_little_by_little_excuses_as_much(behind: float, outcome: Outcome) -> None:
    late = PacingMeasured(at=7.9, side="upstream", packets=400, p50=5.0, p99=900 * behind, max=1000 * behind)
    assert of_late_channel(late).outcome == outcome


def test_how_long_is_a_limit() -> None:
    assert verdict(1.2, stalled_s=2.0).outcome == Outcome.FAILED


def test_only_causes_about_time_are_excused() -> None:
    """What is wrong whatever the time stays wrong: a mutated offer, a missing section, a key in the open."""
    excused = {(r.id, slug) for r in REGISTRY for slug, cause in r.causes.items() if cause.in_time}
    assert ("signaling.offer-accepted", "timeout") in excused
    assert ("lifecycle.hang-up-releases-call", "call-leaked") in excused
    assert not any(rid.startswith("security.") for rid, _ in excused)
    assert not any(slug.startswith("offer-") for _, slug in excused)


def of_clean_audio(events: list[Event], late: PacingMeasured, *, lightly_heard: bool = False) -> Verdict:
    """Of the call, one of whose ends was so late."""
    others = [e for e in events if not (isinstance(e, PacingMeasured) and e.side == late.side)]
    call = timeline_of([*others, late])
    (found,) = judge([lightly(call) if lightly_heard else call], [REGISTRY.get("audio.clean")])
    return found


@pytest.mark.parametrize(("p50", "outcome"), [(0.5, Outcome.WARNED), (12.0, Outcome.INCONCLUSIVE)])
def test_packets_in_a_row_are_nobodys_fault_where_the_fake_itself_sent_late(
    p50: float, outcome: Outcome
) -> None:
    late = PacingMeasured(at=7.9, side="upstream", packets=400, p50=p50, p99=3 * p50, max=4 * p50)
    events = arriving(lambda i: (4 - i % 5) * 0.02)
    found = of_clean_audio(events, late)
    assert found.outcome == outcome
    assert ("late by 12 ms in the median" in found.explanation) == (p50 > 10)


@pytest.mark.parametrize("lightly_heard", [False, True])
@pytest.mark.parametrize(
    ("events", "late"),
    [
        # Both ends are below the lateness that makes a call untimeable, and together above the limit.
        (
            arriving(lambda i: 0.035 * (i % 2)),
            PacingMeasured(at=7.9, packets=400, p50=1.0, p99=20.0, max=30.0),
        ),
        (
            arriving(lambda i: 0.3 - (i - 75) * 0.0199 if 75 <= i < 91 else 0.0),
            PacingMeasured(at=7.9, side="upstream", packets=400, p50=1.0, p99=12.0, max=140.0),
        ),
    ],
    ids=["jitter", "gaps"],
)
def test_what_our_own_ends_may_explain_is_not_the_targets(
    events: list[Event], late: PacingMeasured, lightly_heard: bool
) -> None:
    in_time = PacingMeasured(at=7.9, side=late.side, packets=400, p50=0.1, p99=1.0, max=3.0)
    assert of_clean_audio(events, in_time, lightly_heard=lightly_heard).outcome == Outcome.WARNED
    found = of_clean_audio(events, late, lightly_heard=lightly_heard)
    assert found.outcome == Outcome.INCONCLUSIVE
    assert "this machine's own ends were late by" in found.explanation


@pytest.mark.parametrize(("concealed", "outcome"), [(10.0, Outcome.WARNED), (400.0, Outcome.INCONCLUSIVE)])
def test_what_a_browser_made_up_is_not_garbled_by_the_target(concealed: float, outcome: Outcome) -> None:
    garbled = changed(page_events(), a(AudioCompared), stoi=0.4)
    counted = changed(garbled, a(StatsTaken), concealed_ms=concealed)
    (found,) = judge([timeline_of(counted)], [REGISTRY.get("audio.intelligible")])
    assert found.outcome == outcome
    assert ("made up 400 ms" in found.explanation) == (concealed > 100)
