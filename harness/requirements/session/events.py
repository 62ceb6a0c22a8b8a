"""Every event as the official types want it, in an order that makes sense."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.events import EventInvalid, ServerEvent
from harness.core.fields import text
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.core.turns import response_id
from harness.requirements.conditions import last_moment
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement

EVENTS_REFERENCE = "https://platform.openai.com/docs/api-reference/realtime-server-events"
CAME = Condition(
    "server events came", lambda t: None if t.server_events() else NotApplicable("no server event came")
)


@requirement(
    "session.events-valid",
    "Every server event is one of the official types",
    stage=CallStage.UPDATE,
    level=Level.MUST,
    because=Because.CLAUSE,
    severity=Severity.NORMAL,
    source=Source(
        "OpenAI API reference, server events; the types of the openai package",
        "Each event has an event_id and a type, and the fields of that type.",
        EVENTS_REFERENCE,
    ),
    needs=("connectivity.data-channel-opens",),
    when=(CAME,),
    causes={
        "event-malformed": Cause(
            "a server event is not what its type demands",
            "let server events pass unchanged; a client that reads them strictly (@openai/agents) drops this "
            "one silently",
        ),
        "event-unknown": Cause(
            "a server event is of a type, or has a field, that the official package does not know",
            "update the openai package; if it is not OpenAI's, whoever stands between adds to the events",
            level=Level.SHOULD,
        ),
    },
)
def events_valid(timeline: Timeline) -> Finding:
    """Each message is a JSON object that the official types accept."""
    invalid = timeline.all(EventInvalid)
    broken = [e for e in invalid if not e.unknown_type]
    if broken:
        return _violation("event-malformed", broken)
    raw = [e for e in timeline.server_events() if e.event is None]
    if raw:
        seen = f"at {raw[0].at:.3f} s a message that is no JSON object: {raw[0].raw[:80]!r}"
        return Violation("event-malformed", seen, (Evidence(raw[0].at, raw[0].raw[:200]),))
    return _violation("event-unknown", invalid) if invalid else None


def _violation(cause: str, events: list[EventInvalid]) -> Violation:
    first = events[0]
    more = f", and {len(events) - 1} more" if len(events) > 1 else ""
    seen = f"{first.type or 'a message'} at {first.at:.3f} s: {first.problem}{more}"
    return Violation(cause, seen, tuple(Evidence(e.at, f"{e.type}: {e.problem}") for e in events[:5]))


@requirement(
    "session.events-ordered",
    "Server events come once each, in an order that makes sense",
    stage=CallStage.UPDATE,
    level=Level.MUST,
    because=Because.CLAUSE,
    severity=Severity.NORMAL,
    source=Source(
        "OpenAI Realtime guide, event flow",
        "speech_started precedes speech_stopped and committed; response.created precedes all of its "
        "response.",
        "https://platform.openai.com/docs/guides/realtime-conversations",
    ),
    needs=("connectivity.data-channel-opens", "websocket.messages-forwarded"),
    when=(CAME,),
    causes={
        "event-duplicated": Cause(
            "a server event came twice",
            "let each server event pass once; two listeners on the channel, or a relay that mirrors the "
            "sideband to the client, double them",
        ),
        "event-out-of-order": Cause(
            "server events came in an order that cannot be",
            "open the channel ordered and reliable (the default of createDataChannel), and do not relay "
            "events through concurrent workers",
        ),
    },
)
def events_ordered(timeline: Timeline) -> Finding:
    """Unique event ids, and the partial order of turns, items and responses."""
    events = timeline.server_events(before=last_moment(timeline))
    seen_ids: dict[str, ServerEvent] = {}
    for event in events:
        event_id = text(event.event, "event_id")
        if event_id and event_id in seen_ids:
            first = seen_ids[event_id]
            quotes = (
                Evidence(first.at, f"{first.type} {event_id}"),
                Evidence(event.at, f"{event.type} {event_id}"),
            )
            return Violation("event-duplicated", f"{event.type} with event_id {event_id}", quotes)
        seen_ids[event_id] = event
    for earlier, later in _disorder(events):
        quotes = (Evidence(earlier.at, earlier.type), Evidence(later.at, later.type))
        return Violation("event-out-of-order", f"{earlier.type} before {later.type}", quotes)
    return None


# What must not come before what, for one item and for one response.
ITEM_ORDER = (
    ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"),
    ("input_audio_buffer.speech_stopped", "input_audio_buffer.committed"),
    ("input_audio_buffer.speech_started", "input_audio_buffer.committed"),
    ("conversation.item.added", "conversation.item.done"),
)
RESPONSE_ORDER = (
    ("output_audio_buffer.started", "output_audio_buffer.stopped"),
    ("output_audio_buffer.started", "output_audio_buffer.cleared"),
)


def _disorder(events: list[ServerEvent]) -> Iterator[tuple[ServerEvent, ServerEvent]]:
    """Pairs of events that came the wrong way round, in the order in which they came."""
    position = {id(event): index for index, event in enumerate(events)}
    created = [e for e in events if e.type == "session.created"]
    if created and events[0] is not created[0]:
        yield events[0], created[0]
    for key, order in ((_item_id, ITEM_ORDER), (response_id, RESPONSE_ORDER)):
        for first, second in order:
            starts = {key(e): e for e in reversed(events) if e.type == first}
            for event in events:
                start = starts.get(key(event)) if event.type == second and key(event) else None
                if start is not None and position[id(start)] > position[id(event)]:
                    yield event, start
    begins = {response_id(e): i for i, e in enumerate(events) if e.type == "response.created"}
    ends = {response_id(e): i for i, e in enumerate(events) if e.type == "response.done"}
    for index, event in enumerate(events):
        rid = response_id(event)
        if rid in begins and index < begins[rid]:
            yield event, events[begins[rid]]
        if event.type.startswith("response.") and rid in ends and index > ends[rid]:
            yield events[ends[rid]], event


def _item_id(event: ServerEvent) -> str:
    return text(event.event, "item_id") or text(event.event, "item", "id")
