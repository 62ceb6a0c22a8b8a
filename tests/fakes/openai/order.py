"""The order of server events, as recorded and documented: partial orders, so that freedoms stay free."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.fakes.recorded import PRECEDES, OrderWatch

Event = Mapping[str, Any]

PLAYOUT = (
    ("response.content_part.added",),
    ("output_audio_buffer.started",),
    ("output_audio_buffer.stopped", "output_audio_buffer.cleared"),
)
ONCE = frozenset(
    {
        *(name.partition(" ")[0] for pair in PRECEDES for name in pair if not name.endswith(".delta")),
        *(name for names in PLAYOUT for name in names),
    }
)
ONCE_IN_ALL = ONCE - {"rate_limits.updated"}


def order_violations(events: Iterable[Event]) -> list[str]:
    """Everything that is out of order, in words; none where all is well."""
    events = list(events)
    checks = (_session_first, _unique_ids, _as_recorded, _once, _playout, _one_at_a_time)
    return [violation for check in checks for violation in check(events)]


def _session_first(events: list[Event]) -> Iterator[str]:
    if events and events[0]["type"] != "session.created":
        yield f"{events[0]['type']} came before session.created"


def _unique_ids(events: list[Event]) -> Iterator[str]:
    seen: set[str] = set()
    for event in events:
        if event["event_id"] in seen:
            yield f"the id of {event['type']} was used before"
        seen.add(event["event_id"])


def _as_recorded(events: list[Event]) -> Iterator[str]:
    watch = OrderWatch()
    for event in events:
        yield from watch.violations(event)


def _once(events: list[Event]) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    for event in events:
        name, owner = event["type"], _item(event) or _response(event)
        if name in ONCE_IN_ALL and owner:
            if (name, owner) in seen:
                yield f"{name} of {owner} came twice"
            seen.add((name, owner))


def _playout(events: list[Event]) -> Iterator[str]:
    responses: dict[str, list[str]] = defaultdict(list)
    for event in events:
        responses[_response(event)].append(event["type"])
    responses.pop("", None)
    for response_id, names in responses.items():
        yield from _in_order(response_id, names, PLAYOUT)
        if "response.done" in names and "output_audio_buffer.stopped" in names:
            yield from _in_order(response_id, names, (("response.done",), ("output_audio_buffer.stopped",)))
        if names[0] != "response.created":
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
