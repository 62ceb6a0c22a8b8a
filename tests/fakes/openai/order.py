"""The documented order of server events, as partial orders, so that freedoms stay free."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Event = Mapping[str, Any]

# Each comes before the next, where both are there.
UTTERANCE = (
    ("input_audio_buffer.speech_started",),
    ("input_audio_buffer.speech_stopped", "input_audio_buffer.timeout_triggered"),
    ("input_audio_buffer.committed",),
    ("conversation.item.added",),
    ("conversation.item.done",),
    (
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.input_audio_transcription.failed",
    ),
)
# A model that streams sends words while the caller still speaks.
TRANSCRIPT = (
    ("input_audio_buffer.speech_started",),
    ("conversation.item.input_audio_transcription.delta",),
    (
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.input_audio_transcription.failed",
    ),
)
RESPONSE = (
    ("response.created",),
    ("response.output_item.added",),
    ("conversation.item.added",),
    ("response.content_part.added",),
    (
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_text.delta",
        "response.function_call_arguments.delta",
    ),
    (
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.output_text.done",
        "response.function_call_arguments.done",
    ),
    ("response.content_part.done",),
    ("conversation.item.done",),
    ("response.output_item.done",),
    ("response.done",),
)
PLAYOUT = (
    ("response.content_part.added",),
    ("output_audio_buffer.started",),
    ("output_audio_buffer.stopped", "output_audio_buffer.cleared"),
)
ONCE = frozenset(
    name for names in (*UTTERANCE, *RESPONSE, *PLAYOUT) for name in names if not name.endswith(".delta")
)


def order_violations(events: Iterable[Event]) -> list[str]:
    """Everything that is out of order, in words; none where all is well."""
    events = list(events)
    return [*_session_first(events), *_unique_ids(events), *_chains(events), *_one_at_a_time(events)]


def _session_first(events: list[Event]) -> Iterator[str]:
    if events and events[0]["type"] != "session.created":
        yield f"{events[0]['type']} came before session.created"


def _unique_ids(events: list[Event]) -> Iterator[str]:
    seen: set[str] = set()
    for event in events:
        if event["event_id"] in seen:
            yield f"the id of {event['type']} was used before"
        seen.add(event["event_id"])


def _chains(events: list[Event]) -> Iterator[str]:
    response_of = {
        item: response for event in events if (response := _response(event)) and (item := _item(event))
    }
    responses: dict[str, list[str]] = defaultdict(list)
    items: dict[str, list[str]] = defaultdict(list)
    for event in events:
        item_id = _item(event)
        response_id = _response(event) or response_of.get(item_id)
        if response_id:
            responses[response_id].append(event["type"])
        elif item_id:
            items[item_id].append(event["type"])
    for item_id, names in items.items():
        yield from _in_order(item_id, names, UTTERANCE)
        yield from _in_order(item_id, names, TRANSCRIPT)
    for response_id, names in responses.items():
        yield from _in_order(response_id, names, RESPONSE)
        yield from _in_order(response_id, names, PLAYOUT)
        if "response.done" in names and "output_audio_buffer.stopped" in names:
            yield from _in_order(response_id, names, (("response.done",), ("output_audio_buffer.stopped",)))
        if names and names[0] != "response.created":
            yield f"{response_id} began with {names[0]}"


def _response(event: Event) -> str:
    return str(event.get("response_id") or event.get("response", {}).get("id") or "")


def _item(event: Event) -> str:
    return str(event.get("item_id") or event.get("item", {}).get("id") or "")


def _in_order(owner: str, names: list[str], chain: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    rank = {name: i for i, group in enumerate(chain) for name in group}
    highest = -1
    for name in names:
        if name in rank:
            if rank[name] < highest:
                yield f"{name} of {owner} came too late, after one of {chain[highest]}"
            highest = max(highest, rank[name])
    for name in ONCE & rank.keys():
        if names.count(name) > 1:
            yield f"{name} of {owner} came {names.count(name)} times"


def _one_at_a_time(events: list[Event]) -> Iterator[str]:
    active = playing = None
    for event in events:
        name = event["type"]
        if name == "response.created" and event["response"]["conversation_id"]:
            if active is not None:
                yield f"{event['response']['id']} began while {active} was in progress"
            active = event["response"]["id"]
        elif name == "response.done" and event["response"]["id"] == active:
            active = None
        elif name == "output_audio_buffer.started":
            if playing is not None:
                yield f"{event['response_id']} was heard while {playing} was"
            playing = event["response_id"]
        elif name in ("output_audio_buffer.stopped", "output_audio_buffer.cleared"):
            if event["response_id"] != playing:
                yield f"{event['response_id']} ended but was not heard"
            playing = None
