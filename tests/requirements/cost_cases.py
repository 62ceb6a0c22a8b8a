"""What provokes each cause in cost."""

from __future__ import annotations

from harness.core.events import CallWithheld, Event
from tests.requirements.cases import CASES, Calls, Case, case
from tests.support.editing import told
from tests.support.timelines import call_started, healthy_call, healthy_events, timeline_of

Events = list[Event]


@case("cost.usage-reported", "usage-missing")
def a_response_without_usage() -> Events:
    return told(healthy_events(), "response.done", lambda e: e["response"].pop("usage"))


@case("cost.usage-reported", "usage-missing")
def a_usage_without_details() -> Events:
    return told(healthy_events(), "response.done", lambda e: e["response"].update(usage={"total_tokens": 9}))


@case("cost.per-call", "budget-exceeded")
def dearer_than_a_call_may_be() -> Events:
    return healthy_events(cost_per_call_usd=0.001)


def three_calls_for_the_price_of_two() -> Calls:
    return [healthy_call(cost_per_run_usd=0.012) for _ in range(3)]


def two_that_were_kept_back() -> Calls:
    withheld = [call_started(), CallWithheld(at=0.0, reason="the budget is spent")]
    return [healthy_call(), *(timeline_of(withheld) for _ in range(2))]


CASES += [
    Case("cost.per-run", "budget-exceeded", calls.__name__, calls)
    for calls in (three_calls_for_the_price_of_two, two_that_were_kept_back)
]
