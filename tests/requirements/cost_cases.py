"""What provokes each cause in cost."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from harness.core.events import CallWithheld, Event, UsageTold
from harness.requirements.bills import call_cost_usd
from tests.requirements.cases import CASES, Calls, Case, case
from tests.support.editing import told
from tests.support.timelines import call_started, healthy_call, healthy_events, timeline_of

Events = list[Event]
COST = call_cost_usd(healthy_call()) or 0.0


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


def a_backend_that_counts_each_call_twice() -> Calls:
    return usage_told(after=1.0 + 2 * 2 * COST)


def a_backend_that_counts_nothing() -> Calls:
    return usage_told(after=1.0)


def usage_told(**more: Any) -> Calls:
    """Two calls, on the last of which stands what the usage endpoint told."""
    told = UsageTold(at=8.0, unit="usd", calls=("001-first-turn",), before=1.0, settled=True)
    return [
        healthy_call(usage_difference_percent=5.0),
        timeline_of([*healthy_events(), replace(told, **more)]),
    ]


CASES += [
    Case("cost.usage-agrees", "usage-differs", calls.__name__, calls)
    for calls in (a_backend_that_counts_each_call_twice, a_backend_that_counts_nothing)
]
