"""Calls in which a target, or a page, sends very much of one kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from harness.core.events import Event, PacketsReceived, ServerEvent
from tests.support.page_timelines import page_events
from tests.support.timelines import client, detection, healthy_events, reply, server

Bulk = Callable[[int], list[Event]]
SINCE, SECONDS = 1.0, 6.5  # of the healthy call
# Our own doing, in which no target has a say: what was begun, said, and ended.
OURS = ("CallStarted", "CallEnded", "StepStarted", "StepEnded", "UtteranceStarted", "UtteranceEnded")
BULKS: dict[str, Bulk] = {}


def bulk(make: Callable[[int], Iterator[Event]]) -> Callable[[int], Iterator[Event]]:
    """Its events beside those of the healthy call."""
    BULKS[make.__name__.replace("_", " ")] = lambda n: sorted(
        [*healthy_events(), *make(n)], key=lambda event: event.at
    )
    return make


def times(n: int) -> Iterator[tuple[int, float]]:
    """So many moments within the call."""
    return ((i, SINCE + SECONDS * i / n) for i in range(n))


@bulk
def detections(n: int) -> Iterator[Event]:
    for i, at in times(n // 3):
        yield from detection(at, at + 0.0001, f"another_{i}")


@bulk
def detections_without_an_end(n: int) -> Iterator[Event]:
    for i, at in times(n):
        yield server(at, "input_audio_buffer.speech_started", audio_start_ms=1000 + i, item_id=f"another_{i}")


@bulk
def replies(n: int) -> Iterator[Event]:
    for i, at in times(n // 8):
        yield from reply(at, f"another_{i}", audible_from=at)


@bulk
def streams(n: int) -> Iterator[Event]:
    (heard,) = [e for e in healthy_events() if isinstance(e, PacketsReceived)]
    for i, at in times(n // 10):
        yield msgspec.structs.replace(heard, at=at, ssrc=1000 + i, packets=heard.packets[:10])


@bulk
def packets(n: int) -> Iterator[Event]:
    (heard,) = [e for e in healthy_events() if isinstance(e, PacketsReceived)]
    one = heard.packets[0]
    yield msgspec.structs.replace(
        heard,
        ssrc=77,
        packets=tuple(
            msgspec.structs.replace(one, at=at, sequence=i % 65536, timestamp=i * 960 % 2**32)
            for i, at in times(n)
        ),
    )


@bulk
def tool_calls(n: int) -> Iterator[Event]:
    for i, at in times(n // 2):
        named = {"call_id": f"call_{i}", "item_id": f"tool_{i}", "response_id": "resp_1"}
        yield server(at, "response.function_call_arguments.done", arguments="{}", name="look", **named)
        output = {"type": "function_call_output", "call_id": f"call_{i}", "output": "{}"}
        yield client(at, "conversation.item.create", item=output)


@bulk
def errors(n: int) -> Iterator[Event]:
    for i, at in times(n):
        told = {"type": "invalid_request_error", "code": "c", "message": "m", "event_id": f"ours_{i}"}
        yield server(at, "error", error=told)


@bulk
def updates(n: int) -> Iterator[Event]:
    for i, at in times(n // 2):
        yield client(at, "session.update", event_id=f"ours_{i}", session={"instructions": str(i)})
        yield server(at, "session.updated", session={"type": "realtime"})


def _renamed(event: ServerEvent, i: int) -> ServerEvent:
    """The same of another item and response."""
    told = dict(event.event or {})
    told |= {name: f"another_{i}" for name in ("item_id", "response_id") if name in told}
    told |= {
        name: {**told[name], "id": f"another_{i}"}
        for name in ("response", "item")
        if isinstance(told.get(name), dict)
    }
    return msgspec.structs.replace(event, event={**told, "event_id": f"another_{i}"})


def _repeated(of: list[Event], event: Event) -> Bulk:
    def make(n: int) -> list[Event]:
        copies = (msgspec.structs.replace(event, at=at) for _, at in times(n))
        renamed = (_renamed(e, i) if isinstance(e, ServerEvent) else e for i, e in enumerate(copies))
        return sorted([*of, *renamed], key=lambda e: e.at)

    return make


def _kind(event: Event) -> str:
    return event.type if isinstance(event, ServerEvent) else type(event).__name__


for _call in (healthy_events(), page_events()):
    for _event in _call:
        if _kind(_event) not in (*OURS, *BULKS, "PacketsReceived"):
            BULKS[_kind(_event)] = _repeated(_call, _event)
