"""What arrived at the fake, as the harness reads it there: also what belongs to no call."""

from __future__ import annotations

from typing import Literal

import msgspec

from harness.core.events.base import Event

# By what an arrival is known to be of a call: its offer's ufrag, the call's id in its path, the answer that
# this caller was given, or the time at which it came. Empty: of none that we know.
Tie = Literal["ufrag", "call", "answer", "time", ""]


class ArrivedPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part of a form: its size in bytes, and how it begins."""

    name: str
    size: int
    content_type: str = ""
    start: str = ""


class RequestArrived(Event, frozen=True, kw_only=True):
    """A request as it reached the fake, with what was answered; `start` is how its body begins.

    `size` in bytes, `took` in seconds. `ufrag` is that of the offer in it, `answer` that of the answer that
    was given for it, both empty where there is none. `code` and `message` are those of a refusal; `status`
    None: nothing was answered. A WebSocket has the method WEBSOCKET. `call`: the id of what it made.
    `before`: by how many seconds it is
    older than the call, on whose timeline it then stands at its beginning.
    """

    id: str
    method: str
    url: str
    peer: str = ""
    agent: str = ""
    key: str = ""
    content_type: str = ""
    size: int = 0
    start: str = ""
    parts: tuple[ArrivedPart, ...] = ()
    model: str = ""
    ufrag: str = ""
    status: int | None = None
    code: str = ""
    message: str = ""
    answer: str = ""
    took: float = 0.0
    before: float = 0.0
    tie: Tie = ""
    call: str = ""


class ArrivalsRead(Event, frozen=True, kw_only=True):
    """The fake at `base` was asked what had arrived since the call began: so many requests, of anybody."""

    base: str
    requests: int


AnyArrival = RequestArrived | ArrivalsRead
