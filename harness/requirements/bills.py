"""What calls used, as their responses say it."""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.events import UsageUnit
from harness.core.session import session_in_force
from harness.core.timeline import Timeline
from harness.core.turns import Reply, replies
from harness.requirements.prices import cost_usd, price_of

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


def call_cost_usd(timeline: Timeline) -> float | None:
    """What the call's responses cost, as far as they report it; None where the model has no known price."""
    used = [r.usage for r in replies(timeline) if r.usage]
    if not used:
        return 0.0
    price = price_of(model_of(timeline))
    return None if price is None else sum(cost_usd(usage, price) for usage in used)


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
