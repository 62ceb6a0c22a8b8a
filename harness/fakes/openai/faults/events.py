"""Server events go wrong: events that nobody should send, or too often, or out of their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from harness.fakes.faults.registry import FaultValue
from harness.fakes.openai.conversation.behaviour import CONVERSATION, Quirk
from harness.fakes.openai.conversation.outputs import Output, Send, SendRaw

fault = CONVERSATION.fault


class OneMore(Quirk):
    """Sends something of its own once, right after `session.created`."""

    def sending(self, event: dict[str, Any]) -> Iterable[Output]:
        yield Send(event)
        if event["type"] == "session.created":
            yield self.more(event["event_id"] + "x")

    def more(self, event_id: str) -> Output:
        """What it sends."""
        raise NotImplementedError


@fault("event-not-json", "sends a message that is no JSON", stage="events")
class EventNotJson(OneMore):
    def more(self, event_id: str) -> Output:
        return SendRaw(f'{{"type": "rate_limits.updated", "event_id": "{event_id}", "rate_')


@fault("event-malformed", "sends an event without a required field", stage="events")
class EventMalformed(OneMore):
    def more(self, event_id: str) -> Output:
        return Send({"type": "rate_limits.updated", "event_id": event_id})


@fault("event-unknown", "sends an event of a type that the API does not have", stage="events")
class EventUnknown(OneMore):
    def more(self, event_id: str) -> Output:
        return Send({"type": "session.weather_changed", "event_id": event_id, "weather": "fine"})


@fault(
    # Under the 256 KiB that callers announce as their largest message: a larger one would never leave.
    "event-oversized",
    "sends a valid event of unusual size",
    stage="events",
    default=192,
    value_help="KiB",
)
class EventOversized(OneMore):
    def more(self, event_id: str) -> Output:
        limit = {"name": "requests", "limit": 1, "remaining": 1, "reset_seconds": 0.5}
        size = len(str(limit)) - 8  # as JSON without spaces
        limits = [dict(limit) for _ in range(int(self.value) * 1024 // size + 1)]
        return Send({"type": "rate_limits.updated", "event_id": event_id, "rate_limits": limits})


@fault(
    "events-duplicated",
    "sends each event of one type twice",
    stage="events",
    default="response.done",
    value_help="the type",
)
class EventsDuplicated(Quirk):
    def sending(self, event: dict[str, Any]) -> Iterable[Output]:
        yield Send(event)
        if event["type"] == self.value:
            yield Send(dict(event))


@fault(
    "events-out-of-order",
    "sends each event of one type after the one that should follow it",
    stage="events",
    default="conversation.item.added",
    value_help="the type",
)
class EventsOutOfOrder(Quirk):
    def __init__(self, value: FaultValue) -> None:
        super().__init__(value)
        self._held: list[Output] = []

    def sending(self, event: dict[str, Any]) -> Iterator[Output]:
        if event["type"] == self.value:
            self._held.append(Send(event))
            return
        yield Send(event)
        yield from self._held
        self._held.clear()
