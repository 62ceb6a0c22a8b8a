"""What calls cost, and what they may cost."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.events import CallWithheld
from harness.core.session import session_in_force
from harness.core.timeline import Timeline
from harness.core.turns import Reply, replies
from harness.requirements.conditions import optional_limit_of
from harness.requirements.model import (
    Cause,
    Condition,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Observation,
    Severity,
    Source,
    Violation,
)
from harness.requirements.prices import cost_usd, price_of
from harness.requirements.registry import requirement

COSTS_GUIDE = "https://platform.openai.com/docs/guides/realtime-costs"
MEND = (
    "shorten prompt, replies (max_output_tokens) and calls, since each response bills the whole conversation "
    "again; choose a mini model; or raise the limit"
)


def finished(timeline: Timeline) -> list[Reply]:
    """Replies that were completed, and so are billed with a usage."""
    return [r for r in replies(timeline) if r.status == "completed"]


COMPLETED = Condition(
    "a response was completed",
    lambda t: None if finished(t) else NotApplicable("no response was completed"),
)


def _nothing_billed(timeline: Timeline) -> NotApplicable | Inconclusive | None:
    # A call that was not placed for its cost says as much about the run's cost as one that was.
    return None if timeline.first(CallWithheld) else COMPLETED.unmet(timeline)


BILLED = Condition("a response was completed, or a call was not placed for its cost", _nothing_billed)


@requirement(
    "cost.usage-reported",
    "Every response says what it used",
    level=Level.SHOULD,
    severity=Severity.MINOR,
    source=Source(
        "OpenAI API reference, response.done",
        "usage holds the tokens of the response, which correspond to billing.",
        COSTS_GUIDE,
    ),
    needs=("turns.response-completes",),
    when=(COMPLETED,),
    causes={
        "usage-missing": Cause(
            "a completed response does not say what it used, so its cost cannot be known",
            "let response.done pass unchanged, `usage` with its token details included",
        )
    },
)
def usage_reported(timeline: Timeline) -> Finding:
    """Each completed response.done has a usage with its totals and details."""
    for reply in finished(timeline):
        wanted = (
            "total_tokens",
            "input_tokens",
            "output_tokens",
            "input_token_details",
            "output_token_details",
        )
        missing = [name for name in wanted if reply.usage.get(name) is None]
        if missing:
            seen = f"response {reply.id}: {', '.join(missing)} missing"
            return Violation("usage-missing", seen, (Evidence(reply.done_at, f"response.done {reply.id}"),))
    return None


@requirement(
    "cost.per-call",
    "What the call cost",
    level=Level.OBSERVE,
    severity=Severity.MINOR,
    source=Source("OpenAI, pricing; managing Realtime costs", "Tokens by kind at their price.", COSTS_GUIDE),
    needs=("cost.usage-reported",),
    when=(COMPLETED,),
    causes={"budget-exceeded": Cause("the call cost more than a call may", MEND)},
)
def per_call(timeline: Timeline) -> Finding:
    """USD by usage and price table; a violation only where `cost_per_call_usd` is configured."""
    cost = call_cost_usd(timeline)
    if cost is None:
        return Inconclusive(f"no price is known for the model {_model(timeline) or '(not told)'}")
    evidence = (Evidence(None, f"{len(finished(timeline))} responses of {_model(timeline)}: {cost:.4f} USD"),)
    allowed = optional_limit_of(timeline, "cost_per_call_usd")
    if allowed is not None and cost > allowed:
        return Violation("budget-exceeded", f"{cost:.4f} USD against {allowed:g} USD", evidence)
    return Observation("USD", (round(cost, 6),), evidence)


@requirement(
    "cost.per-run",
    "What the run cost",
    level=Level.OBSERVE,
    severity=Severity.MINOR,
    source=Source(
        "OpenAI, pricing; managing Realtime costs", "The sum over all calls of a run.", COSTS_GUIDE
    ),
    needs=("cost.usage-reported",),
    when=(BILLED,),
    over="calls",
    causes={"budget-exceeded": Cause("the run does not keep within its budget", MEND)},
)
def per_run(timelines: Sequence[Timeline]) -> Finding:
    """USD over all calls; a violation where `cost_per_run_usd` is passed, or a limit kept calls back."""
    costs = [call_cost_usd(timeline) for timeline in timelines]
    unknown = [t for t, cost in zip(timelines, costs, strict=True) if cost is None]
    if unknown:
        return Inconclusive(f"no price is known for the model {_model(unknown[0]) or '(not told)'}")
    total = sum(cost for cost in costs if cost is not None)
    placed = sum(t.first(CallWithheld) is None for t in timelines)
    evidence = (Evidence(None, f"{placed} calls: {total:.4f} USD"),)
    allowed = optional_limit_of(timelines[0], "cost_per_run_usd")
    withheld = [event for t in timelines for event in t.all(CallWithheld)]
    if withheld:
        seen = f"{len(withheld)} of {len(timelines)} calls were not placed: {withheld[0].reason}"
        return Violation("budget-exceeded", seen, evidence)
    if allowed is not None and total > allowed:
        return Violation("budget-exceeded", f"{total:.4f} USD against {allowed:g} USD", evidence)
    return Observation("USD", (round(total, 6),), evidence)


def call_cost_usd(timeline: Timeline) -> float | None:
    """What the call's responses cost, as far as they report it; None where the model has no known price."""
    used = [r.usage for r in replies(timeline) if r.usage]
    if not used:
        return 0.0
    price = price_of(_model(timeline))
    return None if price is None else sum(cost_usd(usage, price) for usage in used)


def _model(timeline: Timeline) -> str:
    return str(session_in_force(timeline).get("model") or "")
