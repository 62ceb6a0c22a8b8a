"""What becomes of a message that the data channel does not take."""

from __future__ import annotations

from harness.core.event import Event


class EventUnsent(Event, frozen=True, kw_only=True):
    """A client event that could not be sent: it has more bytes than the other end's max-message-size."""

    type: str
    size: int
    event_id: str = ""
