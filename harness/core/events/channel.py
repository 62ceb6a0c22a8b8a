"""Events of the Realtime API, as they crossed the data channel."""

from __future__ import annotations

from typing import Any

from harness.core.events.base import Event
from harness.core.fields import field

LONGEST_TYPE = 60  # characters that are shown of one that is no text


class ClientEvent(Event, frozen=True, kw_only=True):
    """An event from client to server: recorded when sent (caller) or received (upstream)."""

    event: dict[str, Any]

    @property
    def type(self) -> str:
        return _type(self.event)


class ServerEvent(Event, frozen=True, kw_only=True):
    """An event from server to client. `event` is None where the message was not a JSON object: see `raw`."""

    event: dict[str, Any] | None
    raw: str = ""
    size: int = 0

    @property
    def type(self) -> str:
        return _type(self.event)


class EventInvalid(Event, frozen=True, kw_only=True):
    """A server event that the official types do not accept: `type` as sent, `problem` in one line."""

    type: str
    problem: str
    unknown_type: bool = False


class EventUnsent(Event, frozen=True, kw_only=True):
    """A client event that could not be sent: it has more bytes than the other end's max-message-size."""

    type: str
    size: int
    event_id: str = ""


def _type(event: dict[str, Any] | None) -> str:
    """As it was sent; of what is no text, something to show."""
    value = field(event, "type")
    return value if isinstance(value, str) else "" if value is None else str(value)[:LONGEST_TYPE]
