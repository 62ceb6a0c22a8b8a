"""Messages pass as they are: one event each, as text, every one, in order."""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.events import ClientEvent, MessageOdd, ServerEvent, SocketClosed
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
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
from harness.requirements.websocket.opening import OPEN, RFC_6455

PROBLEMS = {
    "binary": "messages-binary",
    "several-events": "messages-merged",
    "part-of-an-event": "messages-split",
}
ON_ITS_WAY = 1.0  # seconds before the end in which an event may not have arrived
RECOGNISED = 0.5  # of the events must have the ids that OpenAI gave them, else the relay writes its own


@requirement(
    "websocket.messages-whole",
    "One message is one event, as text",
    stage=CallStage.CHANNEL,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "RFC 6455, section 5.6; WHATWG WebSockets, section 4",
        "A text message is delivered whole, as a string; a binary one as a Blob. Pages parse each as one "
        "event.",
        RFC_6455 + "#section-5.6",
    ),
    needs=("websocket.session-begins",),
    when=(OPEN,),
    also_in=("session",),
    causes={
        "messages-binary": Cause(
            "events come as binary messages",
            "send text on as text: in Node.js `ws` gives a Buffer for both, so pass its isBinary on "
            "(`client.send(data, { binary: isBinary })`), or send data.toString()",
        ),
        "messages-merged": Cause(
            "several events come in one message",
            "send each of OpenAI's messages on by itself: do not join what was queued, and let no stream "
            "stand "
            "between the two WebSockets",
        ),
        "messages-split": Cause(
            "one event comes in pieces",
            "send each of OpenAI's messages on whole: do not read it in chunks, and mark a fragment as one "
            "(FIN) where you send fragments",
        ),
    },
)
def messages_whole(timeline: Timeline) -> Finding:
    """No message that is binary, holds two events, or a part of one."""
    for odd in timeline.all(MessageOdd):
        seen = f"the first was of {odd.size} bytes"
        return Violation(PROBLEMS[odd.problem], seen, (Evidence(odd.at, f"{odd.problem}: {odd.start}"),))
    return None


def _sent_upstream(timeline: Timeline) -> NotApplicable | None:
    if timeline.server_events(side="upstream"):
        return None
    return NotApplicable("needs the upstream's view of this call: run with --fake-openai")


SEEN = Condition("both ends are seen", _sent_upstream)


@requirement(
    "websocket.messages-forwarded",
    "Every event passes, once and in order",
    stage=CallStage.CHANNEL,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "RFC 6455, section 5.4; OpenAI Realtime guide, WebSocket",
        "Messages arrive in the order in which they were sent; audio deltas are played in that order.",
        RFC_6455 + "#section-5.4",
    ),
    needs=("websocket.messages-whole", "websocket.takes-audio"),
    when=(OPEN, SEEN),
    also_in=("session",),
    causes={
        "events-lost": Cause(
            "events that OpenAI sent did not come to the caller",
            "send every message on, whatever its type: a list of known types drops what is new, and an "
            "error in "
            "the handler of one drops it silently",
        ),
        "events-reordered": Cause(
            "events came in another order than OpenAI sent them",
            "send on in the order of arrival: await each send before the next is begun, and start no task "
            "for "
            "each message",
        ),
        "client-events-lost": Cause(
            "events that the caller sent did not come to OpenAI",
            "send every message on, or say in an error which one is not allowed; buffer what comes before "
            "OpenAI's "
            "connection is open",
        ),
    },
)
def messages_forwarded(timeline: Timeline) -> Finding:
    """Event ids at the caller are those that the fake sent, in its order; and the other way round."""
    end = min([last_moment(timeline), *(e.at for e in timeline.all(SocketClosed))])
    sent = _ids(timeline.all(ServerEvent, side="upstream", before=end - ON_ITS_WAY))
    came = {event_id: n for n, event_id in enumerate(_ids(timeline.all(ServerEvent)))}
    known = [event_id for event_id in sent if event_id in came]
    keeps_ids = bool(sent) and len(known) >= RECOGNISED * len(sent)
    if keeps_ids and (found := _lost_or_late(timeline, sent, came)) is not None:
        return found
    ours = timeline.all(ClientEvent, before=end - ON_ITS_WAY)
    theirs = set(_ids(timeline.all(ClientEvent, side="upstream")))
    lost = [e for e in ours if e.event.get("event_id") and e.event["event_id"] not in theirs]
    if theirs and lost:
        seen = f"{len(lost)} of {len(ours)}, the first a {lost[0].type}"
        quote = Evidence(lost[0].at, f"sent {lost[0].event['event_id']}")
        return Violation("client-events-lost", seen, (quote,))
    return None


def _lost_or_late(timeline: Timeline, sent: list[str], came: dict[str, int]) -> Violation | None:
    events = {str((e.event or {}).get("event_id")): e for e in timeline.all(ServerEvent, side="upstream")}
    # What the relay asked for itself (its own session.update) it may keep to itself.
    lost = [i for i in sent if i not in came and events[i].type != "session.updated"]
    if lost:
        first = events[lost[0]]
        seen = f"{len(lost)} of {len(sent)}, the first a {first.type}"
        return Violation("events-lost", seen, (Evidence(first.at, f"sent by the fake: {lost[0]}"),))
    places = [came[i] for i in sent if i in came]
    for before, after, event_id in zip(places, places[1:], [i for i in sent if i in came][1:], strict=False):
        if after < before:
            late = events[event_id]
            seen = f"a {late.type} was overtaken by what was sent before it"
            return Violation("events-reordered", seen, (Evidence(late.at, f"sent by the fake: {event_id}"),))
    return None


def _ids(events: Iterable[ServerEvent | ClientEvent]) -> list[str]:
    return [str(event_id) for e in events if (event_id := (e.event or {}).get("event_id"))]
