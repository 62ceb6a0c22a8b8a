"""The session begins, and takes the configuration that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.events import ClientEvent, ServerEvent
from harness.core.fields import field, items, table, text
from harness.core.probes import INVALID_UPDATE, LARGE_UPDATE
from harness.core.session import session_in_force, turn_detection, turn_detection_at
from harness.core.speech import utterances
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import last_moment, limit_of
from harness.requirements.exchanges import excerpt
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

EVENTS_REFERENCE = "https://platform.openai.com/docs/api-reference/realtime-server-events"

# A session.update may carry these without finding them again in session.updated: `model` cannot be changed,
# `tracing` is kept by the server, and `type` only says which kind of session it is.
NOT_REFLECTED = ("model", "tracing", "type")


def _channel_closed(timeline: Timeline) -> NotApplicable | None:
    if timeline.state("channel", "open") is None:
        return NotApplicable("the data channel did not open")
    return None


CHANNEL_OPEN = Condition("the data channel opened", _channel_closed)


@requirement(
    "session.created",
    "The session announces itself",
    stage=CallStage.SESSION,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "OpenAI API reference, session.created",
        "Returned when a session is created, as the first server event.",
        EVENTS_REFERENCE + "/session/created",
    ),
    needs=("connectivity.data-channel-opens", "websocket.session-begins"),
    when=(CHANNEL_OPEN,),
    sees=("events",),
    causes={
        "session-created-missing": Cause(
            "the data channel is open, but session.created never came",
            "see whether the upstream made the session at all (its call id is in the answer's Location); a "
            "page must attach its onmessage listener before the channel opens, or the event is lost; where a "
            "gateway keeps OpenAI's events to itself by design, say `passes_events = false` in harness.toml",
            in_time=True,
        )
    },
)
def created(timeline: Timeline) -> Finding:
    """session.created within `session_s` of the open channel."""
    opened = timeline.state("channel", "open")
    if opened is None or timeline.server_events("session.created"):
        return None
    watched = watched_until(timeline) - opened.at
    if watched < limit_of(timeline, "session_s"):
        return Inconclusive(f"the channel was watched for only {watched:.1f} s")
    events = timeline.server_events()
    first = f"the first event was {events[0].type}" if events else "no event came at all"
    return Violation(
        "session-created-missing",
        f"in {watched:.1f} s; {first}",
        (Evidence(opened.at, "channel open"), *(Evidence(e.at, e.type) for e in events[:3])),
    )


def _no_update(timeline: Timeline) -> NotApplicable | None:
    return None if ordinary_updates(timeline) else NotApplicable("the caller sent no session.update")


@requirement(
    "session.update-accepted",
    "A session.update takes effect",
    stage=CallStage.UPDATE,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "OpenAI API reference, session.update",
        "The server responds with session.updated showing the full, effective configuration, or with an "
        "error.",
        "https://platform.openai.com/docs/api-reference/realtime-client-events/session/update",
    ),
    needs=("page.update-shape", "session.created", "websocket.messages-forwarded"),
    when=(Condition("the caller sent an ordinary session.update", _no_update),),
    causes={
        "update-refused": Cause(
            "the session.update was refused, and all of it was dropped",
            "fix the field that `param` names; the usual ones are session.type missing (set it to realtime) "
            "and fields of the retired beta at the top level (turn_detection, voice, modalities)",
        ),
        "update-not-applied": Cause(
            "session.updated came, but without what was asked for",
            "compare the two sessions; whoever stands between the caller and OpenAI (a sideband connection, "
            "the relay's own update) overrides it",
        ),
        "update-ignored": Cause(
            "the session.update was never answered",
            "send it on the channel oai-events after `open`, as one JSON text with type session.update",
            in_time=True,
        ),
    },
)
def update_accepted(timeline: Timeline) -> Finding:
    """Each ordinary session.update is answered by a session.updated that shows what was asked."""
    for sent in ordinary_updates(timeline):
        asked = Evidence(sent.at, f"session.update {excerpt(str(sent.event.get('session')))}")
        answer = reply_to(timeline, sent)
        if answer is None:
            watched = watched_until(timeline) - sent.at
            if watched < limit_of(timeline, "session_s"):
                return Inconclusive(f"the reply was awaited for only {watched:.1f} s")
            return Violation(
                "update-ignored", f"neither session.updated nor error in {watched:.1f} s", (asked,)
            )
        evidence = (asked, Evidence(answer.at, f"{answer.type} {excerpt(str(answer.event))}"))
        if answer.type == "error":
            error = table(answer.event, "error")
            names = ", ".join(f"{k} {error[k]}" for k in ("code", "param", "message") if error.get(k))
            return Violation("update-refused", names or "without a reason", evidence)
        missing = _not_applied(sent.event.get("session"), field(answer.event, "session"))
        if missing:
            return Violation("update-not-applied", "; ".join(missing[:3]), evidence)
    return None


@requirement(
    "session.vad-configured",
    "The session detects turns",
    stage=CallStage.UPDATE,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "OpenAI Realtime guide, voice activity detection",
        "With turn_detection null the client itself must commit the buffer and ask for each response.",
        "https://platform.openai.com/docs/guides/realtime-vad",
    ),
    needs=("session.created",),
    when=(
        Condition(
            "the caller speaks and leaves the turns to the server",
            lambda t: (
                None
                if utterances(t) and not manual_turns(t)
                else NotApplicable("the caller did not speak, or ends its turns itself")
            ),
        ),
    ),
    causes={
        "vad-disabled": Cause(
            "the session's turn detection is off, so speech is heard and never answered",
            'set audio.input.turn_detection to {"type": "server_vad"} in the session that the relay sends, '
            "and do not clear it with null in a session.update",
        )
    },
)
def vad_configured(timeline: Timeline) -> Finding:
    """`audio.input.turn_detection` is not null when the caller first speaks."""
    first = utterances(timeline)[0]
    session = session_in_force(timeline, first.start)
    if turn_detection(session).kind != "off":
        return None
    told = timeline.server_events("session.created", "session.updated", before=first.start)
    return Violation(
        "vad-disabled",
        "audio.input.turn_detection is null",
        (Evidence(told[-1].at, told[-1].type), Evidence(first.start, f"the caller speaks: {first.name}")),
    )


@requirement(
    "session.prompt-exposure",
    "How much of the prompt the caller can read",
    stage=CallStage.UPDATE,
    level=Level.OBSERVE,
    because=Because.MEASURED,
    severity=Severity.MINOR,
    source=Source(
        "OpenAI API reference, session.created",
        "The event carries the whole effective session, instructions and tools included, to the browser.",
        EVENTS_REFERENCE + "/session/created",
    ),
    needs=("session.created",),
    when=(CHANNEL_OPEN,),
    causes={},
)
def prompt_exposure(timeline: Timeline) -> Finding:
    """Characters of instructions and number of tools in session.created."""
    event = next(iter(timeline.server_events("session.created")), None)
    if event is None:
        return NotApplicable("no session.created")
    instructions = text(event.event, "session", "instructions")
    tools = items(event.event, "session", "tools")
    said = f"session.created shows {len(instructions)} characters of instructions and {len(tools)} tools"
    return Observation("characters", (float(len(instructions)),), (Evidence(event.at, said),))


# --- inside ---


def ordinary_updates(timeline: Timeline) -> list[ClientEvent]:
    """The caller's session.update events that are no probes."""
    probes = (LARGE_UPDATE, INVALID_UPDATE)
    return [
        e
        for e in timeline.client_events("session.update")
        if not str(e.event.get("event_id", "")).startswith(probes)
    ]


def manual_turns(timeline: Timeline) -> bool:
    """Turns are committed, not detected: by the caller, or by whoever else has the session (a sideband)."""
    if timeline.client_events("input_audio_buffer.commit"):
        return True
    committed = timeline.server_events("input_audio_buffer.committed")
    if committed and turn_detection_at(timeline, committed[0].at).kind == "off":
        return True
    return any(turn_detection(table(e.event, "session")).kind == "off" for e in ordinary_updates(timeline))


def reply_to(timeline: Timeline, sent: ClientEvent) -> ServerEvent | None:
    """The error that names the event, else the session.updated that is its own by order.

    An error about a session field that names no event stands in for a reply that never came.
    """
    event_id = sent.event.get("event_id")
    errors = timeline.server_events("error", after=sent.at)
    for event in errors:
        if event_id is not None and field(event.event, "error", "event_id") == event_id:
            return event
    earlier = [
        e
        for e in timeline.client_events("session.update", before=sent.at)
        if e is not sent and not _refused(timeline, e)
    ]
    updated = timeline.server_events("session.updated")
    mine = [e for e in updated[len(earlier) :] if e.at >= sent.at]
    nameless = [e for e in errors if field(e.event, "error", "event_id") is None and _about_session(e)]
    return next(iter(mine + nameless), None)


def _about_session(event: ServerEvent) -> bool:
    return text(event.event, "error", "param").startswith("session")


def _refused(timeline: Timeline, sent: ClientEvent) -> bool:
    event_id = sent.event.get("event_id")
    return event_id is not None and any(
        field(e.event, "error", "event_id") == event_id for e in timeline.server_events("error")
    )


def watched_until(timeline: Timeline) -> float:
    """Until when events could arrive: the hang-up, or the channel's end before it."""
    opened = timeline.state("channel", "open")
    closed = timeline.state("channel", "closed", after=opened.at) if opened else None
    until = last_moment(timeline)
    return min(until, closed.at) if closed else until


def _not_applied(asked: object, effective: object) -> list[str]:
    if not isinstance(asked, Mapping) or not isinstance(effective, Mapping):
        return ["session.updated carries no session"] if isinstance(asked, Mapping) else []
    return [
        difference
        for name, value in asked.items()
        if name not in NOT_REFLECTED
        for difference in _differences(name, value, effective.get(name))
    ]


def _differences(path: str, asked: Any, effective: Any) -> list[str]:
    """Where what was asked is not found again; more than was asked is welcome."""
    if isinstance(asked, Mapping) and isinstance(effective, Mapping):
        return [d for k, v in asked.items() for d in _differences(f"{path}.{k}", v, effective.get(k))]
    if isinstance(asked, list) and isinstance(effective, list) and len(asked) == len(effective):
        pairs = enumerate(zip(asked, effective, strict=True))
        return [d for i, (a, b) in pairs for d in _differences(f"{path}[{i}]", a, b)]
    if asked == effective or (asked in (None, "", []) and effective in (None, "", [])):
        return []
    return [f"{path} is {excerpt(str(effective), 60)} where {excerpt(str(asked), 60)} was asked"]
