"""Taking things away from a healthy call, and putting others in their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from harness.core.events import Event, PacketsReceived, ServerEvent
from tests.support.timelines import ending

Match = Callable[[Event], bool]


def a(kind: type[Event], type_: str = "", **fields: Any) -> Match:
    """Matches events of a kind, of an OpenAI event type, and with these fields."""

    def match(event: Event) -> bool:
        return (
            isinstance(event, kind)
            and (not type_ or getattr(event, "type", None) == type_)
            and all(getattr(event, name) == value for name, value in fields.items())
        )

    return match


def without(events: Sequence[Event], *matches: Match) -> list[Event]:
    """The events but those that match; each match must hit, or the test tests nothing."""
    for match in matches:
        assert any(match(e) for e in events), "nothing to take away"
    return [e for e in events if not any(match(e) for match in matches)]


def changed(events: Sequence[Event], match: Match, **fields: Any) -> list[Event]:
    """The events with `fields` replaced in those that match; a callable is given the old value."""
    assert any(match(e) for e in events), "nothing to change"

    def new(event: Event) -> Event:
        values = {n: v(getattr(event, n)) if callable(v) else v for n, v in fields.items()}
        return msgspec.structs.replace(event, **values)

    return [new(e) if match(e) else e for e in events]


def told(events: Sequence[Event], type_: str, edit: Callable[[dict[str, Any]], Any]) -> list[Event]:
    """The events with every server event of a type edited in place on a copy."""

    def edited(event: dict[str, Any]) -> dict[str, Any]:
        copy: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(event))
        edit(copy)
        return copy

    return changed(events, a(ServerEvent, type_), event=edited)


def shifted(events: Sequence[Event], after: float, by: float) -> list[Event]:
    """The events with all that comes after a moment, packets included, later by so many seconds."""

    def later(event: Event) -> Event:
        if event.at <= after:
            return event
        if isinstance(event, PacketsReceived):
            moved = tuple(msgspec.structs.replace(p, at=p.at + by) for p in event.packets)
            event = msgspec.structs.replace(event, packets=moved)
        return msgspec.structs.replace(event, at=event.at + by)

    return [later(e) for e in events]


def until(events: Sequence[Event], moment: float, hang_up: float) -> list[Event]:
    """The events before a moment, then a hang-up."""
    return [e for e in events if e.at < moment] + ending(hang_up)
