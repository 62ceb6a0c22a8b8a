"""What calls used, as their responses say it."""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.events import CallEnded, CallStarted, UsageUnit
from harness.core.prices import DEAREST, PRICES, Price, cost_usd, price_of
from harness.core.session import session_in_force
from harness.core.timeline import Timeline
from harness.core.turns import Reply, replies

USAGE_FIELDS = (
    "total_tokens",
    "input_tokens",
    "output_tokens",
    "input_token_details",
    "output_token_details",
)


def finished(timeline: Timeline) -> list[Reply]:
    """Replies that were completed, and so are billed with a usage."""
    return [r for r in replies(timeline) if r.status == "completed"]


def missing_usage(reply: Reply) -> list[str]:
    """What the usage of a completed reply lacks."""
    return [name for name in USAGE_FIELDS if reply.usage.get(name) is None]


def cut_off(timeline: Timeline) -> list[Reply]:
    """Replies whose response.done, and with it their usage, had not come when the call ended."""
    return [r for r in replies(timeline) if r.done_at is None]


def model_of(timeline: Timeline) -> str:
    """The session's model; empty where it was not told."""
    return str(session_in_force(timeline).get("model") or "")


def call_price(timeline: Timeline) -> Price | None:
    """What the call's model costs; None where nobody said."""
    started = timeline.first(CallStarted)
    return price_of(model_of(timeline), started.prices if started else None)


def call_cost_usd(timeline: Timeline) -> float | None:
    """What the call's responses cost, as far as they report it; None where the model has no known price.

    A session that is billed by the hour costs from session.created until the call's end.
    """
    used = [r.usage for r in replies(timeline) if r.usage]
    price = call_price(timeline)
    if price is None:
        return None if used else 0.0
    return sum(cost_usd(usage, price) for usage in used) + _hours(timeline) * price.per_hour


def assumed_cost_usd(timeline: Timeline) -> float:
    """What a call whose model has no known price costs at most, as far as is known: as the dearest one."""
    return sum(cost_usd(reply.usage, PRICES[DEAREST]) for reply in replies(timeline))


def unpriced(timeline: Timeline) -> str:
    """Why the call's cost is not told, and who can say it."""
    model = model_of(timeline) or "(not told)"
    return f'no price is known for the model {model}: [targets.NAME.prices."{model}"] takes one'


def _hours(timeline: Timeline) -> float:
    created, ended = timeline.server_events("session.created"), timeline.last(CallEnded)
    return (ended.at - created[0].at) / 3600 if created and ended else 0.0


def call_tokens(timeline: Timeline) -> int:
    """The tokens of the call's responses, in and out, as far as they report them."""
    totals = (r.usage.get("total_tokens") for r in replies(timeline))
    return sum(total for total in totals if isinstance(total, int))


def reported_usage(timelines: Iterable[Timeline], unit: UsageUnit) -> float | None:
    """What the responses of all calls used, in that unit; None where a model has no known price."""
    if unit == "tokens":
        return float(sum(call_tokens(timeline) for timeline in timelines))
    costs = [call_cost_usd(timeline) for timeline in timelines]
    return None if None in costs else sum(cost for cost in costs if cost is not None)
