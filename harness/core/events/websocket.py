"""What a WebSocket shows of itself, beside the events that it carries (RFC 6455)."""

from __future__ import annotations

from typing import Literal

from harness.core.events.base import Event

MessageProblem = Literal["binary", "several-events", "part-of-an-event"]


class MessageOdd(Event, frozen=True, kw_only=True):
    """A message was not one event as text: the first of each problem. `start` is how it began.

    binary: a page gets a Blob where it waits for text. several-events: JSON values one after the other.
    part-of-an-event: it goes on in the next message.
    """

    problem: MessageProblem
    size: int
    start: str = ""


class SocketClosed(Event, frozen=True, kw_only=True):
    """The connection is over. `code` and `reason` are those of the Close frame that came, or that we sent.

    `by`: who closed first (`upstream` on its own side); nobody, where the connection broke without a Close
    frame (`code` is then 1006).
    `problem`: what of the other end's frames the protocol forbids, where it broke for that.
    """

    code: int
    reason: str = ""
    by: Literal["caller", "relay", "upstream", "nobody"] = "relay"
    problem: str = ""


class SocketMeasured(Event, frozen=True, kw_only=True):
    """What passed, at its end: messages and their bytes, uncompressed.

    `most_waiting`: bytes that we had handed over, at most at a time, and the other end had not taken. `pings`
    came from the relay; `pings_sent` are ours, `pongs` what came of them. `pong_ms`: what the slowest pong
    took, or how long it has been waited for.
    """

    sent: int
    received: int
    bytes_sent: int
    bytes_received: int
    largest_received: int = 0
    most_waiting: int = 0
    pings: int = 0
    pings_sent: int = 0
    pongs: int = 0
    pong_ms: float | None = None


class PlayoutCleared(Event, frozen=True, kw_only=True):
    """The caller's own player dropped the rest of a reply, because the caller had begun to speak.

    Over a WebSocket the client plays, so it is the client that stops (OpenAI Realtime guide, interruption).
    """

    response_id: str
    item_id: str
    played_ms: int
