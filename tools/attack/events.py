"""Server events: what they hold, how deep, how large, how many."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec

from harness.call.conduct import _invalid
from harness.core.bounds import EventAllowance
from harness.core.clock import MonotonicClock, RelativeClock
from harness.core.events import Event, ServerEvent
from harness.core.redaction import Redactor
from harness.core.timeline import Timeline
from harness.peer.peer import Peer
from tests.support.timelines import healthy_events, server, timeline_of
from tools.attack.kinds import kind
from tools.attack.showing import judged, shown
from tools.attack.values import TEXTS, hostile, nested, spoiled


def _as_sent(event: dict[str, Any]) -> str:
    try:
        return json.dumps(event, ensure_ascii=True)
    except ValueError:  # a number that no text may hold
        return "{}"


class _Taking:
    """A peer's ear, without the peer."""

    def __init__(self, timeline: Timeline) -> None:
        self._clock = RelativeClock(MonotonicClock())
        redactor = Redactor(["a-secret-of-the-caller"])

        def record(event: Event) -> None:
            if isinstance(event, ServerEvent) and event.event is not None:
                event = msgspec.structs.replace(event, event=redactor.value(event.event))
            timeline.append(msgspec.structs.replace(event, at=self.at))

        self._record = record
        self._allowance = EventAllowance()
        self.at = 0.0

    def take(self, text: str | bytes, at: float) -> None:
        self.at = at
        Peer._message(self, text)  # type: ignore[arg-type]  # noqa: SLF001  (the very function)


def heard(events: list[Event], rng: random.Random, spoil: int) -> Timeline:
    """The call as a caller would have recorded it, had its server sent other events."""
    timeline = Timeline()
    ear = _Taking(timeline)
    ours = [e for e in events if isinstance(e, ServerEvent) and e.event is not None]
    chosen = {id(rng.choice(ours)) for _ in range(spoil)}
    for event in timeline_of(events):
        if not isinstance(event, ServerEvent) or event.event is None:
            timeline.append(event)
        elif id(event) in chosen:
            text = _as_sent(spoiled(event.event, rng, rng.choice((1, 1, 2, 4))))
            for _ in range(rng.choice((1, 1, 1, 2))):
                ear.take(text, event.at)
        else:
            timeline.append(event)
    timeline.extend(_invalid(timeline))
    return timeline


@kind("events: other values in their fields")
def fields(rng: random.Random) -> int:
    """Any field of any event of a call holds another value, or none."""
    events = healthy_events(rng.choice(("embedded", "black-box", "grey-box")))
    run = judged(heard(events, rng, rng.choice((1, 2, 5))))
    if rng.random() < 0.1:
        shown(run)
    return 1


@kind("events: other types and orders")
def orders(rng: random.Random) -> int:
    """Events come twice, in another order, as another type, or before their time."""
    events = healthy_events(rng.choice(("embedded", "black-box")))
    servers = [e for e in events if isinstance(e, ServerEvent)]
    types = [e.type for e in servers] + ["error", "response.cancelled", "x", ""]
    for _ in range(rng.randint(1, 8)):
        at = rng.uniform(-1.0, 9.0)
        event = dict(rng.choice(servers).event or {})
        event["type"] = rng.choice(types)
        if event["type"] == "error":
            event["error"] = rng.choice(("boom", None, 3, [], {"code": 1}, {"message": {}}, hostile(rng)))
        events.append(ServerEvent(at=at, event=event))
    rng.shuffle(events)
    judged(timeline_of(sorted(events, key=lambda e: e.at)))
    return 1


@kind("events: no JSON, deep, large", within=20.0)
def forms(rng: random.Random) -> int:
    """Messages that are no event, nested, megabytes long, or in half a character."""
    timeline = timeline_of(healthy_events())
    ear = _Taking(timeline)
    for _ in range(5):
        message: str | bytes = rng.choice(
            (
                "[" * rng.choice((10, 1000, 200_000)),
                json.dumps(nested(rng.choice((50, 99, 101, 900)), as_list=rng.random() < 0.5)),
                json.dumps({"type": "error", "error": nested(95, as_list=False)}),
                json.dumps({"type": rng.choice(TEXTS), "x": "y" * rng.choice((10, 100_000))}),
                json.dumps({"type": 3, rng.choice(TEXTS): rng.choice(TEXTS)}),
                '{"type": "error", "x": ' + "9" * rng.choice((10, 4000, 5000)) + "}",
                '{"type": "error", "x": 1e' + "9" * 9 + "}",
                rng.randbytes(rng.choice((0, 1, 100))),
                '{"type":"\\ud800"}',
                "null",
                '{"type":"response.done","type":["response.done"]}',
                json.dumps({str(n): n for n in range(rng.choice((10, 50_000)))}),
            )
        )
        ear.take(message, rng.uniform(0, 8))
    timeline.extend(_invalid(timeline))
    run = judged(timeline)
    shown(run)
    return 5


FLOODS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("input_audio_buffer.speech_started", {"audio_start_ms": 100, "item_id": "item_1"}),
    ("input_audio_buffer.speech_stopped", {"audio_end_ms": 100}),
    ("input_audio_buffer.committed", {}),
    ("response.created", {"response": {"id": None}}),
    ("response.done", {"response": {"id": "resp_1"}}),
    ("session.updated", {"session": {}}),
    ("error", {"error": {"message": "m"}}),
    ("output_audio_buffer.stopped", {"response_id": "resp_1"}),
    ("conversation.item.added", {"item": {"id": "x"}}),
)


@kind("events: many of one", within=20.0)
def many(rng: random.Random) -> int:
    """Thousands of one event or of two, each of its own name or all of one."""
    events = healthy_events(rng.choice(("embedded", "black-box")))
    number = rng.choice((2000, 10_000))
    several = rng.sample(FLOODS, rng.choice((1, 2, 3)))
    for n in range(number):
        type_, body = several[n % len(several)]
        own: dict[str, Any] = {}
        for key, value in body.items():
            own[key] = {"id": f"resp_{n}"} if value == {"id": None} else value
        if rng.random() < 0.5 and "item_id" in own:
            own["item_id"] = f"item_{n}"
        events.append(server(0.5 + 7 * n / number, type_, **own))
    judged(timeline_of(events))
    return number
