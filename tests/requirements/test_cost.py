"""What the target's usage endpoint told, against what the responses say: when it is a finding."""

from __future__ import annotations

import pytest

from harness.core.events import CallEnded, CallWithheld
from harness.core.timeline import Timeline
from harness.requirements import REGISTRY, Level, Outcome, Verdict, judge
from harness.requirements.bills import call_cost_usd, call_tokens, reported_usage
from harness.requirements.model import Inconclusive
from tests.requirements.cost_cases import COST, usage_told
from tests.support.editing import told
from tests.support.timelines import call_started, healthy_call, healthy_events, server, timeline_of

AGREES = REGISTRY.get("cost.usage-agrees")


def verdict(calls: list[Timeline]) -> Verdict:
    (found,) = judge(calls, [AGREES])
    return found


def without_limit(calls: list[Timeline]) -> list[Timeline]:
    """No difference is too great."""
    return [healthy_call(), *calls[1:]]


def test_within_the_limit_the_difference_is_a_number() -> None:
    found = verdict(usage_told(after=1.0 + 2 * COST * 1.04))
    assert (found.outcome, found.level) == (Outcome.OBSERVED, Level.OBSERVE)
    assert found.observation is not None
    assert found.observation.values == pytest.approx((2 * COST * 0.04,), abs=1e-6)
    assert "more (4.0%)" in found.explanation


def test_without_a_limit_no_difference_is_a_finding() -> None:
    found = verdict(without_limit(usage_told(after=1.0 + 20 * COST)))
    assert found.outcome == Outcome.OBSERVED
    assert "more (900.0%)" in found.explanation


def test_tokens_need_no_price() -> None:
    calls = usage_told(after=1.0 + 2 * call_tokens(healthy_call()), unit="tokens")
    assert "tokens: no difference" in verdict(calls).explanation
    unpriced = [timeline_of([*healthy_events(), server(7.9, "session.updated", session={"model": "new"})])]
    assert reported_usage(unpriced, "usd") is None
    assert reported_usage(unpriced, "tokens") == call_tokens(healthy_call())


@pytest.mark.parametrize(
    ("calls", "says"),
    [
        (usage_told(after=None, failed="the usage hook failed: 503"), "the usage hook failed: 503"),
        (usage_told(after=0.5), "counted backwards, from 1.000000 USD to 0.500000 USD"),
        (
            usage_told(after=9.0, calls=("001-first-turn", "002")),
            "asked about 2 calls, and 1 are judged here",
        ),
        (usage_told(after=9.0, settled=False, waited=30.0), "still counting 30 s after the last call"),
        (
            [
                *usage_told(after=9.0),
                timeline_of(told(healthy_events(), "response.done", lambda e: e["response"].pop("usage"))),
            ],
            "1 responses do not say what they used",
        ),
        (
            [
                *usage_told(after=9.0),
                timeline_of(
                    [*healthy_events(), server(7.9, "session.updated", session={"model": "gpt-unheard-of"})]
                ),
            ],
            "no price is known for the model gpt-unheard-of",
        ),
        (
            [
                *usage_told(after=9.0),
                timeline_of(
                    [
                        *healthy_events(),
                        server(7.9, "response.created", response={"id": "resp_cut", "status": "in_progress"}),
                    ]
                ),
            ],
            "1 responses used that were cut off by hanging up",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_compared_is_said_and_leaves_a_limit_open(calls: list[Timeline], says: str) -> None:
    """With a limit a run that cannot be compared does not conform; without one, nothing hangs on it."""
    found = verdict(calls)
    assert (found.outcome, found.level) == (Outcome.INCONCLUSIVE, Level.MUST)
    assert says in found.explanation
    assert verdict(without_limit(calls)).level == Level.OBSERVE


def test_an_inconclusive_finding_binds_as_its_requirement_does() -> None:
    assert Inconclusive("too little was heard").level is None


def test_calls_that_a_hanging_target_kept_back_exceed_no_budget() -> None:
    started = call_started("black-box")
    kept_back = [
        started,
        CallWithheld(at=0.0, reason="the target hung on the first offer", for_cost=False),
        CallEnded(at=0.0, reason="the call was not placed"),
    ]
    verdicts = judge([timeline_of(kept_back)], [REGISTRY.get("cost.per-run")])
    assert [v.outcome for v in verdicts] == [Outcome.NOT_APPLICABLE]


@pytest.mark.parametrize("limit", ["cost_per_call_usd", "cost_per_run_usd"])
def test_without_a_price_nothing_is_told_and_only_a_limit_is_left_open(limit: str) -> None:
    rule = REGISTRY.get(limit.removesuffix("_usd").replace("cost_", "cost.").replace("_", "-"))
    nobodys = server(7.9, "session.updated", session={"model": "a-model-of-nobody"})
    (free,) = judge([timeline_of([*healthy_events(), nobodys])], [rule])
    (asked,) = judge([timeline_of([*healthy_events("embedded", **{limit: 1.0}), nobodys])], [rule])
    assert (free.outcome, asked.outcome) == (Outcome.NOT_APPLICABLE, Outcome.INCONCLUSIVE)
    assert '[targets.NAME.prices."a-model-of-nobody"]' in free.explanation


def test_a_session_by_the_hour_costs_its_time() -> None:
    live = server(1.0, "session.updated", session={"model": "gpt-live-1"})
    timeline = timeline_of([*healthy_events(), live])
    created, ended = timeline.server_events("session.created")[0], timeline.last(CallEnded)
    assert ended is not None
    assert call_cost_usd(timeline) == pytest.approx((ended.at - created.at) * 3 / 3600)
