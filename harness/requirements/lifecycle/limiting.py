"""How many calls a caller may have, and for how long: what keeps one person from spending without end."""

from __future__ import annotations

from harness.core import probes
from harness.core.events import AnswerReceived, CallBeside, CallEnded
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import OFFERED, last_moment, optional_limit_of
from harness.requirements.exchanges import exchanges, upstream_offers
from harness.requirements.model import (
    Alternative,
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.session.lasting import call_ended

GRACE_SECONDS = 3.0  # for ending a call at its time limit

RESERVE = (
    "take the caller's place before the first request upstream, in one step that only one of two can win "
    "(SET NX in Redis, a unique row in the database), keep it until the call's id is stored, and end the "
    "older call with its own id"
)


def _not_tried(timeline: Timeline) -> NotApplicable | None:
    if timeline.first(CallBeside) is None:
        return NotApplicable("this caller had no calls beside each other")
    return None


@requirement(
    "lifecycle.calls-per-caller",
    "One caller cannot have any number of calls at once",
    stage=CallStage.HANG_UP,
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="whoever has an account and starts calls side by side",
    severity=Severity.NORMAL,
    source=Source(
        "OWASP API Security 2023, API4 (unrestricted resource consumption)",
        "Limit how often and how much a single client may do what costs money for each request.",
        "https://owasp.org/API-Security/editions/2023/en/0xa4-unrestricted-resource-consumption/",
    ),
    when=(Condition("the target wants credentials, so one caller made several calls at once", _not_tried),),
    causes={
        "no-limit": Cause(
            "the target lets one caller have calls side by side without a limit that was met",
            "allow each user one call or a few, end the oldest or answer 429; where more is meant, say so "
            "with --limit calls_per_caller=N, and it is judged by that",
        ),
        "limit-raced": Cause(
            "the target limits a caller's calls one after the other, and not when they come at once",
            f"{RESERVE}; else a double click, or React's StrictMode, makes two calls that hear each other, "
            "and the older one can never be hung up",
        ),
        "limit-not-shared": Cause(
            "the target refuses a caller one more call, and then lets it have another beside the same ones",
            f"the limit is counted in the memory of each process: {RESERVE}",
        ),
        "too-many-calls": Cause(
            "the target lets one caller have more calls at once than it may",
            f"count a caller's calls where all processes see them: {RESERVE}",
            because=Because.MONEY,
        ),
    },
)
def calls_per_caller(timeline: Timeline) -> Finding:
    """Calls of one caller, one after the other and then all at once: how many are live side by side."""
    in_turn = timeline.all(CallBeside, where=lambda e: e.round == "in-turn")
    at_once = timeline.all(CallBeside, where=lambda e: e.round == "at-once")
    one_by_one, together = _live(in_turn), _live(at_once)
    most = max(one_by_one, together)
    if late := [call for call in (*in_turn, *at_once) if _is_accepted(call) and not call.connected]:
        return Inconclusive(f"{len(late)} of the calls were accepted and did not connect")
    proof = tuple(map(_quoted, (*in_turn, *at_once)))
    if not most:
        return NotApplicable("no call of it was accepted")
    seen = (
        f"{one_by_one} of {len(in_turn)} made in turn and {together} of {len(at_once)} made at once are live"
    )
    allowed = optional_limit_of(timeline, "calls_per_caller")
    if allowed is not None:
        if most <= allowed:
            return None
        raced = (Alternative("limit-raced", "in turn the limit is kept"),) if one_by_one <= allowed else ()
        return Violation("too-many-calls", f"{seen}, {allowed:g} allowed", proof, raced, level=Level.MUST)
    if _accepted_after_refusal(in_turn):
        return Violation("limit-not-shared", seen, proof)
    if one_by_one == len(in_turn) and together == len(at_once):
        return Violation("no-limit", seen, proof)
    if together > one_by_one:
        other = Alternative("limit-not-shared", "connections of their own may reach processes of their own")
        return Violation("limit-raced", seen, proof, (other,))
    return None


def _live(calls: list[CallBeside]) -> int:
    return sum(call.live for call in calls)


def _is_accepted(call: CallBeside) -> bool:
    return call.status is not None and 200 <= call.status < 300


def _accepted_after_refusal(calls: list[CallBeside]) -> bool:
    """While those before the refusal were all live still, so that nothing had made room."""
    refused = next((n for n, call in enumerate(calls) if not _is_accepted(call)), len(calls))
    return refused > 0 and all(c.live for c in calls[:refused]) and any(c.live for c in calls[refused:])


def _quoted(call: CallBeside) -> Evidence:
    became = "live" if call.live else "ended by the other side" if call.connected else "not connected"
    when = "one after the other" if call.round == "in-turn" else "all at once"
    return Evidence(call.at, f"call {call.number}, {when}: {call.status or 'no response'}, {became}")


def _no_time_limit(timeline: Timeline) -> NotApplicable | None:
    if optional_limit_of(timeline, "longest_call_s") is None:
        return NotApplicable("no longest_call_s is configured")
    return None


@requirement(
    "lifecycle.time-limit-kept",
    "A call ends at the target's own time limit",
    stage=CallStage.HANG_UP,
    level=Level.MUST,
    because=Because.MONEY,
    hits="whoever leaves a page open",
    severity=Severity.NORMAL,
    source=Source(
        "OpenAI API reference, hang up call",
        "POST /v1/realtime/calls/{call_id}/hangup ends a call; the answer's Location has the id.",
        "https://platform.openai.com/docs/api-reference/realtime-calls/hangup-call",
    ),
    needs=("connectivity.data-channel-opens",),
    when=(OFFERED, Condition("longest_call_s is configured", _no_time_limit)),
    causes={
        "call-outlives-limit": Cause(
            "the call went on past the target's time limit",
            "keep the call's id (the last part of the answer's Location) where it outlives the process, "
            "with when the call began, and send POST /v1/realtime/calls/{call_id}/hangup when its time is "
            "up: a timer in the page ends nothing",
            in_time=True,
        ),
        "hang-up-refused": Cause(
            "the relay asked for the call to be ended at its time limit, and OpenAI refused",
            "send the hang-up with the very key that made the call, and with the id of the answer's Location",
        ),
    },
)
def time_limit_kept(timeline: Timeline) -> Finding:
    """From the answer to the end that the caller sees, against `longest_call_s` and a little grace."""
    longest = optional_limit_of(timeline, "longest_call_s") or 0.0
    answer = timeline.first(AnswerReceived)
    until = last_moment(timeline)
    if answer is None or until - answer.at < longest + GRACE_SECONDS:
        return NotApplicable("the caller hung up before that")
    latest = answer.at + longest + GRACE_SECONDS
    end = call_ended(timeline, until)
    if end is not None and end.at <= latest:
        return None
    lasted = f"live {until - answer.at if end is None else end.at - answer.at:.1f} s after the answer"
    seen = f"{lasted}, {longest:g} s allowed"
    quotes = (Evidence(answer.at, "the answer"), *_ends(timeline))
    refused = [e for e in exchanges(timeline, probes.HANG_UP, side="upstream") if (e.status or 0) >= 400]
    if refused:
        proof = (*quotes, *refused[-1].evidence())
        return Violation("hang-up-refused", f"answered {refused[-1].status}; {seen}", proof)
    if upstream_offers(timeline) and not exchanges(timeline, probes.HANG_UP, side="upstream"):
        seen += ", and nobody asked the upstream to end it"
    return Violation("call-outlives-limit", seen, quotes)


def _ends(timeline: Timeline) -> list[Evidence]:
    return [Evidence(e.at, f"ended upstream: {e.reason}") for e in timeline.all(CallEnded, side="upstream")]
