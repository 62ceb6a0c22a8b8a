"""A turn is answered: completely, and soon."""

from __future__ import annotations

from itertools import accumulate

from harness.core.fields import text
from harness.core.session import session_in_force, turn_detection_at
from harness.core.speech import utterances
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.core.turns import Reply, Turn, replies, turns
from harness.requirements.conditions import limit_of, started
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
from harness.requirements.session.configuring import manual_turns, watched_until
from harness.requirements.turns.detecting import SPOKE


def _nothing_asked(timeline: Timeline) -> NotApplicable | None:
    if utterances(timeline) or timeline.client_events("response.create") or replies(timeline):
        return None
    return NotApplicable("the caller asked for nothing")


ASKED = Condition("the caller speaks, or asks for a response", _nothing_asked)


@requirement(
    "turns.response-completes",
    "Every turn gets a complete response",
    stage=CallStage.REPLY,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "OpenAI API reference, response.done",
        "Always sent when a response is done streaming, whatever its final state; failures are told in "
        "status_details.",
        "https://platform.openai.com/docs/api-reference/realtime-server-events/response/done",
    ),
    needs=("turns.speech-ends", "session.stays-alive"),
    when=(ASKED,),
    causes={
        "response-missing": Cause(
            "a turn was detected, and no response to it was ever created",
            "check that turn_detection.create_response is not false; with turn_detection null, send "
            "response.create after input_audio_buffer.commit",
            in_time=True,
        ),
        "replies-disabled": Cause(
            "the session answers nobody by itself (create_response is false), and nobody asked it to",
            "remove turn_detection.create_response from the session, or set it to true; where the relay is "
            "to ask itself, its sideband must send response.create after every turn: see whether it is "
            "connected, with the call_id of the answer's Location",
        ),
        "response-failed": Cause(
            "a response failed",
            "read code and message: insufficient_quota is billing, model_not_found the session's model, "
            "rate_limit_exceeded the project's limits; show the user something when response.done has "
            "status failed",
        ),
        "max-output-tokens": Cause(
            "a response was cut off by max_output_tokens",
            'set max_output_tokens to "inf", or leave it out: a second of speech takes 20 tokens and its '
            "text some more; keep replies short by the instructions instead",
        ),
        "response-incomplete": Cause(
            "a response broke off before its end",
            "content_filter: look at prompt and input; when response.done never came, look at the upstream's "
            "log for the session",
            in_time=True,
        ),
    },
)
def response_completes(timeline: Timeline) -> Finding:
    """Each turn has a response, and each response is completed, or cancelled because the caller cut in."""
    answered = replies(timeline)
    for reply in answered:
        finding = _unfinished(timeline, reply)
        if finding is not None:
            return finding
    said = turns(timeline)
    # By each turn, when the next utterance begins: from behind, since a target may detect very many.
    starts = [t.utterance.start if t.utterance is not None else float("inf") for t in reversed(said)]
    following = [float("inf"), *accumulate(starts, min)][:-1]
    for turn, until in zip(said, reversed(following), strict=True):
        finding = _unanswered(timeline, turn, until)
        if finding is not None:
            return finding
    return None


@requirement(
    "turns.latency",
    "The caller hears a reply soon",
    stage=CallStage.FIRST_AUDIO,
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    source=Source(
        "Our own default, which no clause sets; Microsoft, best practices for voice-based agents",
        "From the true end of speech to the first audible packet of the reply. The guidance has an agent "
        "fill a silence after 2 s by default, and calls it noticeable well before; 3 s is beyond both. A "
        "limit of your own (`latency_ms`) binds as a MUST.",
        "https://learn.microsoft.com/en-us/azure/foundry/agents/concepts/voice-agent-best-practice",
    ),
    needs=("turns.response-completes", "turns.one-turn-per-utterance"),
    when=(SPOKE,),
    timing=True,
    causes={
        "too-slow": Cause(
            "the reply was heard late",
            "look at the stages: silence_duration_ms is part of it, then the model's time to first audio, "
            "then the network; a smaller model and a shorter prompt answer sooner",
        )
    },
)
def latency(timeline: Timeline) -> Finding:
    """Milliseconds for each turn, against `latency_ms`."""
    measured = [(turn, turn.latency * 1000) for turn in turns(timeline) if turn.latency is not None]
    if not measured:
        return NotApplicable("no reply was heard")
    evidence = tuple(
        Evidence(
            turn.utterance.end if turn.utterance else None, f"end of speech, reply heard {ms:.0f} ms later"
        )
        for turn, ms in measured
    )
    allowed = limit_of(timeline, "latency_ms")
    worst = max(ms for _, ms in measured)
    if worst > allowed:
        configured = "latency_ms" in started(timeline).limits
        seen = f"{worst:.0f} ms against {allowed:g} ms{_asked_late(timeline)}"
        return Violation("too-slow", seen, evidence, level=Level.MUST if configured else None)
    return Observation("ms", tuple(round(ms, 1) for _, ms in measured), evidence)


# --- inside ---


def _asked_late(timeline: Timeline) -> str:
    """Where no response comes by itself, whoever asks for it has a part in the wait."""
    waits = [
        reply.created_at - ended
        for turn in turns(timeline)
        for reply in turn.replies[:1]
        for ended in [max((d.stopped_at for d in turn.detections if d.stopped_at), default=None)]
        if ended is not None and not turn_detection_at(timeline, ended).create_response
    ]
    return f"; create_response is false, and response.create came {max(waits):.1f} s late" if waits else ""


def _unfinished(timeline: Timeline, reply: Reply) -> Finding:
    quote = Evidence(reply.created_at, f"response.created {reply.id}")
    if reply.done_at is None:
        quiet = watched_until(timeline) - _last_word(timeline, reply)
        if quiet < limit_of(timeline, "response_s"):
            return Inconclusive(f"the call ended {quiet:.1f} s after the last word of response {reply.id}")
        seen = f"response.done never came, and nothing else of it in the last {quiet:.1f} s"
        return Violation("response-incomplete", seen, (quote,))
    done = Evidence(reply.done_at, f"response.done, status {reply.status} {reply.reason}".rstrip())
    if reply.status == "failed":
        said = ", ".join(str(reply.error[k]) for k in ("type", "code", "message") if reply.error.get(k))
        return Violation("response-failed", said or "status_details name no error", (quote, done))
    if reply.reason == "max_output_tokens" and reply.status == "incomplete":
        allowed = session_in_force(timeline, reply.created_at).get("max_output_tokens")
        seen = f"max_output_tokens is {allowed if allowed is not None else 'not told'}"
        return Violation("max-output-tokens", f"{seen}, {reply.audible_seconds:.1f} s heard", (quote, done))
    if reply.status == "incomplete":
        return Violation("response-incomplete", reply.reason or "status incomplete", (quote, done))
    if reply.status == "cancelled" and reply.reason not in ("turn_detected", "client_cancelled"):
        return Violation(
            "response-incomplete", f"cancelled, reason {reply.reason or 'not given'}", (quote, done)
        )
    return None


def _unanswered(timeline: Timeline, turn: Turn, next_said: float) -> Finding:
    ended = [d.stopped_at for d in turn.detections if d.stopped_at is not None]
    if turn.utterance is None or turn.replies or not ended or manual_turns(timeline):
        return None
    by_itself = turn_detection_at(timeline, max(ended)).create_response
    if not by_itself and started(timeline).silent:
        return None
    waited = min(watched_until(timeline), next_said) - max(ended)
    if waited < limit_of(timeline, "response_s"):
        return Inconclusive(f"the response was awaited for only {waited:.1f} s")
    asked = timeline.client_events("response.create", after=max(ended), before=next_said)
    return Violation(
        "response-missing" if by_itself or asked else "replies-disabled",
        f"{waited:.1f} s after the end of {turn.utterance.name}",
        (Evidence(max(ended), "input_audio_buffer.speech_stopped"),),
    )


def _last_word(timeline: Timeline, reply: Reply) -> float:
    return max(reply.created_at, timeline.once(_last_words).get(reply.id, 0.0))


def _last_words(timeline: Timeline) -> dict[str, float]:
    """When a response was last spoken of, by its id."""
    return {text(e.event, "response_id"): e.at for e in timeline.server_events()}
