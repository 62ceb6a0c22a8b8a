"""What is observed of calls that were lost, and of networks that were impaired on purpose."""

from __future__ import annotations

import pytest

from harness.core.events import Event, HerdCame, HttpRequest, HttpResponse, NetworkImpaired, PacketsReceived
from harness.requirements import REGISTRY, Outcome, Verdict, judge
from tests.requirements.lifecycle_reconnecting_cases import lost, released, restarted, resumed, well_come_back
from tests.support.editing import a, without
from tests.support.timelines import ANSWER, call_started, ending, healthy_events, state, timeline_of


def verdicts(events: list[Event]) -> dict[str, Verdict]:
    return {v.id: v for v in judge([timeline_of(events)], REGISTRY)}


def values(events: list[Event], requirement: str) -> tuple[float, ...]:
    observation = verdicts(events)[requirement].observation
    assert observation is not None
    return observation.values


def test_a_caller_that_came_back_well_breaks_nothing() -> None:
    found = verdicts(well_come_back())
    assert not [v for v in found.values() if v.outcome in (Outcome.FAILED, Outcome.WARNED, Outcome.ERROR)]
    assert found["lifecycle.comes-back"].outcome == Outcome.PASSED
    assert found["lifecycle.lost-call-released"].outcome == Outcome.PASSED


def test_what_was_lost_is_measured() -> None:
    assert values(well_come_back(), "lifecycle.time-to-recover") == (0.9,)
    assert values(well_come_back(), "lifecycle.turns-lost") == (0.0,)
    assert values(well_come_back(), "lifecycle.audio-lost")[0] > 1.0
    unanswered = without(well_come_back(), lambda e: getattr(e, "type", "").startswith("response."))
    assert values(unanswered, "lifecycle.turns-lost") == (1.0,)


def test_the_time_to_notice_counts_from_the_end_upstream_or_from_the_blackout() -> None:
    ended = lost(released(7.0), resumed())
    assert values(ended, "lifecycle.time-to-notice") == pytest.approx((0.95,))
    dark = lost(NetworkImpaired(at=5.0, name="blackout", seconds=60), resumed())
    assert values(dark, "lifecycle.time-to-notice") == pytest.approx((2.95,))


def test_a_restart_that_is_survived_passes() -> None:
    found = verdicts(restarted(resumed(at=9.0)))
    assert found["lifecycle.relay-restart-survived"].outcome == Outcome.PASSED


def reoffered(status: int, body: str) -> list[Event]:
    return [
        *healthy_events(),
        HttpRequest(at=5.0, method="POST", url="http://127.0.0.1:3000/session", purpose="ice-restart"),
        HttpResponse(at=5.2, status=status, body=body, purpose="ice-restart"),
    ]


@pytest.mark.parametrize(
    ("status", "body", "value", "said"),
    [
        (409, "{}", 0.0, "refused (status 409)"),
        (200, ANSWER.replace("o=- 1 1", "o=- 77 1"), 0.0, "another call was begun, and is billed"),
        (200, ANSWER.replace("o=- 1 1", "o=- 1 2"), 1.0, "the same call answered"),
    ],
)
def test_an_ice_restart_is_observed_with_its_consequence(
    status: int, body: str, value: float, said: str
) -> None:
    verdict = verdicts(reoffered(status, body))["lifecycle.ice-restart"]
    assert verdict.outcome == Outcome.OBSERVED
    assert verdict.observation is not None
    assert verdict.observation.values == (value,)
    assert verdict.explanation == said
    assert verdict.evidence[0].text.startswith(said)
    assert "restartIce() can" in verdict.evidence[0].text


def test_herds_are_measured_apart() -> None:
    herds = [
        HerdCame(at=2.0, callers=2, spread=0, waits=(0.5, 0.6)),
        HerdCame(at=4.0, callers=2, spread=2, waits=(0.1, 0.2)),
    ]
    events = [call_started(), *herds, *ending(5.0)]
    assert values(events, "lifecycle.herd-at-once") == (0.5, 0.6)
    assert values(events, "lifecycle.herd-jittered") == (0.1, 0.2)
    assert verdicts(events)["lifecycle.herd-served"].outcome == Outcome.PASSED


def impaired(**more: object) -> list[Event]:
    return [*healthy_events(), NetworkImpaired(at=0.0, **more)]  # type: ignore[arg-type]  # fields of the event


def test_a_bad_network_of_our_own_is_not_the_targets_but_a_missing_channel_still_is() -> None:
    train = {"name": "train", "up": {"loss": 0.05}, "down": {"loss": 0.05}}
    silent = without(impaired(**train), a(PacketsReceived))
    late = [
        e if getattr(e, "state", "") != "open" else state(6.0, "channel", "open") for e in impaired(**train)
    ]
    assert verdicts(silent)["audio.comes-back"].outcome == Outcome.NOT_APPLICABLE
    assert verdicts(late)["connectivity.data-channel-opens"].outcome == Outcome.FAILED


def test_a_network_that_was_cut_excuses_all_that_crosses_it_but_not_the_answer() -> None:
    cut = impaired(name="blackout", seconds=60)
    never = without(cut, a(type(state(0, "ice", "connected")), layer="ice", state="connected"))
    assert verdicts(never)["connectivity.ice-connects"].outcome == Outcome.NOT_APPLICABLE
    stripped = [
        e if not isinstance(e, HttpResponse) else HttpResponse(at=e.at, side=e.side, status=500, body="")
        for e in cut
    ]
    assert verdicts(stripped)["signaling.offer-accepted"].outcome == Outcome.FAILED
