"""What calls cost, and what they may cost."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.events import CallWithheld, UsageTold, UsageUnit
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.bills import (
    call_cost_usd,
    cut_off,
    finished,
    missing_usage,
    model_of,
    reported_usage,
    unpriced,
)
from harness.requirements.conditions import optional_limit_of, started
from harness.requirements.model import (
    Because,
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
from harness.requirements.registry import requirement

COSTS_GUIDE = "https://platform.openai.com/docs/guides/realtime-costs"
MEND = (
    "shorten prompt, replies (max_output_tokens) and calls, since each response bills the whole conversation "
    "again; choose a mini model; or raise the limit"
)


COMPLETED = Condition(
    "a response was completed",
    lambda t: None if finished(t) else NotApplicable("no response was completed"),
)


def _for_cost(withheld: CallWithheld) -> bool:
    return withheld.for_cost


def _nothing_billed(timeline: Timeline) -> NotApplicable | Inconclusive | None:
    # A call that was not placed for its cost says as much about the run's cost as one that was.
    return None if timeline.first(CallWithheld, where=_for_cost) else COMPLETED.unmet(timeline)


BILLED = Condition("a response was completed, or a call was not placed for its cost", _nothing_billed)


@requirement(
    "cost.usage-reported",
    "Every response says what it used",
    stage=CallStage.CALL,
    level=Level.SHOULD,
    because=Because.ADVICE,
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
        missing = missing_usage(reply)
        if missing:
            seen = f"response {reply.id}: {', '.join(missing)} missing"
            return Violation("usage-missing", seen, (Evidence(reply.done_at, f"response.done {reply.id}"),))
    return None


@requirement(
    "cost.per-call",
    "What the call cost",
    stage=CallStage.CALL,
    level=Level.OBSERVE,
    because=Because.MEASURED,
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
        return _untold(timeline, "cost_per_call_usd")
    evidence = (
        Evidence(None, f"{len(finished(timeline))} responses of {model_of(timeline)}: {cost:.4f} USD"),
    )
    allowed = optional_limit_of(timeline, "cost_per_call_usd")
    if allowed is not None and cost > allowed:
        return Violation("budget-exceeded", f"{cost:.4f} USD against {allowed:g} USD", evidence)
    return Observation("USD", (round(cost, 6),), evidence)


def _untold(timeline: Timeline, limit: str) -> NotApplicable | Inconclusive:
    """Nothing to say without a price; where a limit asks for one, nobody can tell whether it was kept."""
    asked = optional_limit_of(timeline, limit) is not None
    return Inconclusive(unpriced(timeline)) if asked else NotApplicable(unpriced(timeline))


@requirement(
    "cost.per-run",
    "What the run cost",
    stage=CallStage.CALL,
    level=Level.OBSERVE,
    because=Because.MEASURED,
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
        return _untold(unknown[0], "cost_per_run_usd")
    total = sum(cost for cost in costs if cost is not None)
    placed = sum(t.first(CallWithheld) is None for t in timelines)
    evidence = (Evidence(None, f"{placed} calls: {total:.4f} USD"),)
    allowed = optional_limit_of(timelines[0], "cost_per_run_usd")
    withheld = [event for t in timelines for event in t.all(CallWithheld, where=_for_cost)]
    if withheld:
        seen = f"{len(withheld)} of {len(timelines)} calls were not placed: {withheld[0].reason}"
        return Violation("budget-exceeded", seen, evidence)
    if allowed is not None and total > allowed:
        return Violation("budget-exceeded", f"{total:.4f} USD against {allowed:g} USD", evidence)
    return Observation("USD", (round(total, 6),), evidence)


@requirement(
    "cost.usage-agrees",
    "What the target counts is what the responses say",
    stage=CallStage.CALL,
    level=Level.OBSERVE,
    because=Because.MEASURED,
    severity=Severity.MINOR,
    source=Source(
        "OpenAI API reference, response.done; managing Realtime costs",
        "usage holds the tokens of each response, which correspond to billing.",
        COSTS_GUIDE,
    ),
    over="calls",
    causes={
        "usage-differs": Cause(
            "the target's usage endpoint counts something else than the responses report",
            "count the usage of every response.done once, cancelled ones included, text, audio and cached "
            "tokens each at the model's own price; see that nobody else used the same account during the "
            "run, and give a count that lags more time with settle_s",
        )
    },
)
def usage_agrees(timelines: Sequence[Timeline]) -> Finding:
    """How far a configured usage endpoint rose over the run against the usage of every response.done.

    A violation only where `usage_difference_percent` is configured. What is billed beside the responses, such
    as the transcription of the caller, is not in response.done, and so a difference.
    """
    told = next((event for t in timelines for event in t.all(UsageTold)), None)
    if told is None:
        return NotApplicable("the target has no usage endpoint (harness.toml: [targets.NAME.usage])")
    allowed = optional_limit_of(timelines[0], "usage_difference_percent")
    # Where a limit is configured, not to know is not to conform.
    binding = None if allowed is None else Level.MUST
    reported = reported_usage(timelines, told.unit)
    if told.before is None or told.after is None or reported is None:
        return Inconclusive(told.failed or _unpriced(timelines), binding)
    if doubt := _doubt(told.before, told.after, told, timelines):
        return Inconclusive(doubt, binding)
    rose = told.after - told.before
    seen = _compared(rose, reported, told.unit)
    lost = sum(len(cut_off(t)) for t in timelines)
    if lost:
        seen += f"; what {lost} responses used that were cut off by hanging up was told to nobody here"
    evidence = (Evidence(told.at, seen),)
    if allowed is None or abs(rose - reported) <= reported * allowed / 100:
        return Observation(UNITS[told.unit], (round(rose - reported, 6),), evidence, seen)
    if not told.settled:
        return Inconclusive(f"{seen}; it was still counting {told.waited:.0f} s after the last call", binding)
    if lost and rose > reported:
        return Inconclusive(seen, binding)
    return Violation("usage-differs", f"{seen}, and {allowed:g} % are allowed", evidence)


UNITS: dict[UsageUnit, str] = {"usd": "USD", "tokens": "tokens"}


def _doubt(before: float, after: float, told: UsageTold, timelines: Sequence[Timeline]) -> str:
    """Why the two cannot be compared; empty where they can."""
    judged = {started(timeline).call for timeline in timelines}
    if not set(told.calls) <= judged:
        return (
            f"the usage endpoint was asked about {len(told.calls)} calls, and {len(judged)} are judged here"
        )
    if after < before:
        return (
            f"the usage endpoint counted backwards, from {_amount(before, told.unit)} to "
            f"{_amount(after, told.unit)}: was it reset while the calls were made?"
        )
    silent = [r for t in timelines for r in finished(t) if missing_usage(r)]
    return f"{len(silent)} responses do not say what they used" if silent else ""


def _compared(rose: float, reported: float, unit: UsageUnit) -> str:
    part = f" ({abs(rose - reported) / reported:.1%})" if reported else ""
    word = "more" if rose > reported else "less"
    differs = "no difference" if rose == reported else f"{_amount(abs(rose - reported), unit)} {word}{part}"
    return (
        f"its endpoint counted {_amount(rose, unit)}, the responses say {_amount(reported, unit)}: {differs}"
    )


def _amount(value: float, unit: UsageUnit) -> str:
    return f"{value:.6f} USD" if unit == "usd" else f"{value:.0f} tokens"


def _unpriced(timelines: Sequence[Timeline]) -> str:
    reasons = [unpriced(t) for t in timelines if call_cost_usd(t) is None]
    return f'{reasons[0]}; unit = "tokens" needs none'
