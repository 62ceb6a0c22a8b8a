"""No event is refused that came from somebody else than the harness: a sideband, the relay's own, a page."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.events import CallStarted, ServerEvent
from harness.core.fields import table, text
from harness.core.probes import INVALID_UPDATE, LARGE_UPDATE
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import last_moment
from harness.requirements.exchanges import excerpt
from harness.requirements.model import (
    Because,
    Cause,
    Evidence,
    Finding,
    Level,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.session.configuring import CHANNEL_OPEN

LIMITS = ("insufficient_quota", "rate_limit_exceeded", "rate_limit_error")
ELSEWHERE = ("server_error", "session_expired")  # session.stays-alive, lifecycle.session-expiry
RACES = ("response_cancel_not_active",)  # who cancels while a reply ends cannot know
PROBES = (INVALID_UPDATE, LARGE_UPDATE)
ANSWERED_WITHIN = 5.0  # s: an error without the name of its event belongs to a probe of ours before it
CLOCKS_APART = 0.5  # s: what the upstream saw may stand before what it answers


@requirement(
    "session.events-accepted",
    "OpenAI refuses no event that is sent into the call",
    stage=CallStage.UPDATE,
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.CRITICAL,
    sees=("events",),
    source=Source(
        "OpenAI API reference, error",
        "Returned when an error occurs: a client problem or a server problem. Most are recoverable, and the "
        "session stays open.",
        "https://platform.openai.com/docs/api-reference/realtime-server-events/error",
    ),
    needs=("session.update-accepted", "websocket.session-begins"),  # an error may not say what it answers
    when=(CHANNEL_OPEN,),
    causes={
        "event-refused": Cause(
            "OpenAI refused an event that was sent into the call, and not by the harness",
            "find who sends it (the relay's sideband, its own WebSocket, the page): what it was to set or do "
            "did not happen; `param` names the field, and the retired beta's have other names now; a second "
            "response.create waits for response.done",
        ),
        "limit-reached": Cause(
            "OpenAI says in mid-call that a limit is reached",
            "insufficient_quota is billing, rate_limit_exceeded the project's limits: raise them or let "
            "fewer calls begin, and tell the user",
        ),
    },
)
def events_accepted(timeline: Timeline) -> Finding:
    """Each error answers an event of the harness's own, or is told by another requirement."""
    for event in _errors(timeline):
        error = table(event.event, "error")
        words = {text(error, "type"), text(error, "code")}
        if words & {*ELSEWHERE, *RACES} or _is_ours(timeline, event.at, text(error, "event_id")):
            continue
        named = text(error, "code") or text(error, "type") or "an error"
        field = f" (param {excerpt(text(error, 'param'), 60)})" if text(error, "param") else ""
        seen = f"{excerpt(named, 60)}: {excerpt(text(error, 'message'))}{field}"
        cause = "limit-reached" if words & set(LIMITS) else "event-refused"
        return Violation(cause, seen, (*_sent_before(timeline, event), Evidence(event.at, f"error {seen}")))
    return None


def _errors(timeline: Timeline) -> Iterator[ServerEvent]:
    """As they came, or were sent, until the hang-up; what both ends saw counts once."""
    told: set[str] = set()
    found = [
        e
        for side in ("caller", "upstream")
        for e in timeline.server_events("error", side=side, before=last_moment(timeline))
    ]
    for event in sorted(found, key=lambda e: e.at):
        name = text(event.event, "event_id") or repr(event.event)
        if name not in told:
            told.add(name)
            yield event


def _is_ours(timeline: Timeline, at: float, refused: str) -> bool:
    """Whether the harness itself sent what was refused. A page's own events are the page's."""
    started = timeline.first(CallStarted)
    if started is not None and started.caller == "page":
        return False
    own = timeline.client_events()
    names = [text(e.event, "event_id") for e in own]
    if refused:
        return refused in names
    probed = (e.at for e, name in zip(own, names, strict=True) if not name or name.startswith(PROBES))
    return any(-CLOCKS_APART <= at - sent <= ANSWERED_WITHIN for sent in probed)


def _sent_before(timeline: Timeline, error: ServerEvent) -> list[Evidence]:
    """What the upstream had been sent last, where its end is seen."""
    sent = timeline.client_events(side="upstream", before=error.at)
    last = next((e for e in reversed(sent) if e.type != "input_audio_buffer.append"), None)
    return [Evidence(last.at, f"the upstream was sent {excerpt(last.type)}")] if last is not None else []
