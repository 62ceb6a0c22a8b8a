"""Updates that are large or wrong on purpose."""

from __future__ import annotations

import json

from harness.core.events import AnswerReceived, ClientEvent, EventUnsent
from harness.core.fields import field
from harness.core.probes import INVALID_UPDATE, LARGE_UPDATE
from harness.core.sdp import parse_sdp
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import limit_of
from harness.requirements.model import (
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
from harness.requirements.session.configuring import reply_to, watched_until

MOST_QUOTED = 5  # errors


def _sent(timeline: Timeline, prefix: str) -> list[ClientEvent]:
    return timeline.all(ClientEvent, where=lambda e: str(e.event.get("event_id", "")).startswith(prefix))


def _probed(prefix: str, text: str) -> Condition:
    return Condition(text, lambda t: None if _sent(t, prefix) else NotApplicable(f"no {prefix}… was sent"))


def _nothing_large(timeline: Timeline) -> NotApplicable | None:
    if _sent(timeline, LARGE_UPDATE) or timeline.first(EventUnsent) is not None:
        return None
    return NotApplicable("no large event was sent")


@requirement(
    "session.large-update",
    "A large session.update gets through",
    stage=CallStage.UPDATE,
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="every caller whose page sends a large update",
    severity=Severity.NORMAL,
    source=Source(
        "RFC 8841, section 6.1; RFC 8831, section 6.6",
        "max-message-size bounds one message, 64 KiB where it is not given; prompts with tools outgrow that.",
        "https://www.rfc-editor.org/rfc/rfc8841#section-6.1",
    ),
    needs=("session.created",),
    when=(Condition("updates of growing size were sent, or an event was too long", _nothing_large),),
    causes={
        "message-too-large": Cause(
            "a large session.update is lost on the data channel",
            "send instructions and tools in the session that the relay posts with the offer rather than over "
            "the channel; keep a=max-message-size of the answer as the upstream wrote it",
            in_time=True,
        ),
        "over-max-message-size": Cause(
            "an event is longer than the answer's max-message-size, so it cannot be sent",
            "keep a=max-message-size of the answer as the upstream wrote it (OpenAI's is about 1 GiB); "
            "without the line it is 64 KiB, and a browser's send() throws a TypeError beyond it",
        ),
    },
)
def large_update(timeline: Timeline) -> Finding:
    """Each rung of the ladder is answered by session.updated or by an error."""
    unsent = timeline.first(EventUnsent)
    if unsent is not None:
        seen = f"{unsent.type} of {unsent.size:,} bytes, a=max-message-size:{_allowed(timeline)}"
        evidence = (Evidence(unsent.at, f"{unsent.type} was not sent"),)
        ordinary = not unsent.event_id.startswith(LARGE_UPDATE)
        return Violation("over-max-message-size", seen, evidence, level=Level.MUST if ordinary else None)
    largest = 0
    for sent in _sent(timeline, LARGE_UPDATE):
        size = len(json.dumps(sent.event, ensure_ascii=False).encode())
        if reply_to(timeline, sent) is not None:
            largest = size
            continue
        opened = timeline.state("channel", "open")
        closed = timeline.state("channel", "closed", after=opened.at) if opened else None
        until = watched_until(timeline)
        if until - sent.at < limit_of(timeline, "session_s") and (closed is None or closed.at != until):
            return Inconclusive(f"the reply was awaited for only {until - sent.at:.1f} s")
        ended = closed is not None and closed.at == until
        end = f"the channel closed at {until:.3f} s" if ended else "no reply came"
        seen = f"{_kib(size)} sent at {sent.at:.3f} s, {end}; the largest to get through was {_kib(largest)}"
        evidence = (Evidence(sent.at, f"session.update of {size} bytes"),)
        # Where the channel ends with it, the call is lost.
        return Violation("message-too-large", seen, evidence, level=Level.MUST if ended else None)
    return None


@requirement(
    "session.error-reported",
    "A wrong event is answered by one error that names it",
    stage=CallStage.UPDATE,
    level=Level.MUST,
    because=Because.CLAUSE,
    hits="every caller whose page sends a wrong event",
    severity=Severity.NORMAL,
    source=Source(
        "OpenAI API reference, error",
        "error.event_id is the event_id of the client event that caused the error, if applicable.",
        "https://platform.openai.com/docs/api-reference/realtime-server-events/error",
    ),
    needs=("session.created", "websocket.messages-forwarded"),
    when=(_probed(INVALID_UPDATE, "updates that must be refused were sent"),),
    causes={
        "error-not-reported": Cause(
            "a wrong event was not answered by exactly one error with its event_id",
            "let every server event pass to the caller unchanged, `error` above all: without its event_id "
            "the page cannot tell which of its events was dropped",
            in_time=True,
        )
    },
)
def error_reported(timeline: Timeline) -> Finding:
    """Exactly one error whose error.event_id is ours, for each update that must be refused."""
    for sent in _sent(timeline, INVALID_UPDATE):
        event_id = sent.event["event_id"]
        errors = timeline.server_events("error", after=sent.at)
        mine = [e for e in errors if field(e.event, "error", "event_id") == event_id]
        if len(mine) == 1:
            continue
        watched = watched_until(timeline) - sent.at
        if not mine and watched < limit_of(timeline, "session_s"):
            return Inconclusive(f"the error was awaited for only {watched:.1f} s")
        seen = f"{len(mine)} errors with event_id {event_id}, {len(errors)} errors in all"
        evidence = (
            Evidence(sent.at, f"sent {event_id}"),
            *(Evidence(e.at, str(e.event)[:200]) for e in errors[:MOST_QUOTED]),
        )
        return Violation("error-not-reported", seen, evidence)
    return None


def _allowed(timeline: Timeline) -> str:
    """The answer's a=max-message-size in bytes."""
    answer = timeline.first(AnswerReceived)
    data = parse_sdp(answer.sdp).section("application") if answer else None
    return f"{data.max_message_size}" if data else "?"


def _kib(size: int) -> str:
    return f"{size / 1024:.0f} KiB" if size else "nothing"
