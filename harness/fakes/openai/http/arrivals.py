"""Every request that reached the fake, whoever made it and whatever it was: bounded, redacted when shown."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes

import msgspec
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harness.core.clock import Clock
from harness.core.events import ArrivedPart, RequestArrived
from harness.core.probes import CALL_HEADER
from harness.core.redaction import Redactor
from harness.core.timeline import event_to_builtins
from harness.fakes.bodies import (
    FormPart,
    MultipartInvalidError,
    media_type,
    parse_multipart,
    peek_ufrag,
)
from harness.fakes.openai.ids import call_name
from harness.fakes.openai.keys import is_placeholder

ARRIVALS_PATH = "/requests"
MOST_KEPT = 500
MOST_BODIES = 8 * 1024 * 1024  # bytes of all bodies that are kept
LONGEST_BODY = 64 * 1024  # bytes of one
LONGEST_ANSWER = 16 * 1024
START = 240  # characters of a body or of a part that are shown
MOST_PARTS = 16
CALL_SCOPE = "harness.call"  # in an ASGI scope: the id of the call that a request made
BODY_SECONDS = 2.0  # then the endpoint may wait for the rest, if it reads it
URLENCODED = "application/x-www-form-urlencoded"


@dataclass(eq=False)
class Arrival:
    """A request as it came; times are on the fake's monotonic clock."""

    id: str
    at: float
    scope: Scope
    body: bytearray = field(default_factory=bytearray)
    size: int = 0
    status: int | None = None
    reply: bytearray = field(default_factory=bytearray)
    ended_at: float | None = None
    is_over: bool = False
    _described: RequestArrived | None = None

    def received(self, chunk: bytes) -> None:
        """A piece of the body."""
        self.size += len(chunk)
        self.body += chunk[: max(0, LONGEST_BODY - len(self.body))]

    def replied(self, chunk: bytes) -> None:
        """A piece of the answer."""
        self.reply += chunk[: max(0, LONGEST_ANSWER - len(self.reply))]

    def described(self) -> RequestArrived:
        """For whoever asks."""
        if self._described is not None:
            return self._described
        found = _described(self)
        if self.is_over:
            self._described = found
        return found


class Arrivals:
    """The latest requests, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: deque[Arrival] = deque()
        self._bytes = 0
        self._numbers = itertools.count(1)

    def now(self) -> float:
        """On the clock that all times here are on."""
        return self._clock.now()

    def begin(self, scope: Scope) -> Arrival:
        """A request comes in."""
        arrival = Arrival(f"req_{os.getpid()}_{next(self._numbers)}", self._clock.now(), scope)
        self._kept.append(arrival)
        return arrival

    def end(self, arrival: Arrival) -> None:
        """It has been answered, or never will be; the oldest are forgotten."""
        if arrival.ended_at is None:
            arrival.ended_at = self._clock.now()
        arrival.is_over = True
        self._bytes += len(arrival.body)
        while len(self._kept) > MOST_KEPT or self._bytes > MOST_BODIES:
            forgotten = self._kept.popleft()
            self._bytes -= len(forgotten.body) if forgotten.is_over else 0

    def show(self, *, since: float = 0.0, answer: str = "") -> list[dict[str, Any]]:
        """Those since a moment on our clock, or those that were answered by an SDP of this ufrag."""
        found = [a.described() for a in self._kept if a.at >= since]
        return [event_to_builtins(event) for event in found if not answer or event.answer == answer]

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
        self._bytes = 0


class Recording:
    """ASGI middleware: every request but the management's own.

    Bodies are read here, before they are asked for: what no endpoint reads, the server would not hand out
    once it is answered.
    """

    def __init__(self, app: ASGIApp, arrivals: Arrivals, *, apart_from: str) -> None:
        self._app = app
        self._arrivals = arrivals
        self._apart_from = apart_from

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and look on."""
        if scope["type"] not in ("http", "websocket") or scope["path"].startswith(self._apart_from):
            await self._app(scope, receive, send)
            return
        arrival = self._arrivals.begin(scope)

        async def seen_by_us(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                arrival.status = message["status"]
            elif message["type"] == "websocket.accept":
                arrival.status = 101
            elif message["type"] in ("http.response.body", "websocket.http.response.body"):
                arrival.replied(message.get("body", b""))
                if not message.get("more_body"):
                    # Before it is sent: a relay may have answered its own caller as soon as it is.
                    arrival.ended_at = self._arrivals.now()
            await send(message)

        try:
            source = _Source(receive, arrival)
            if scope["type"] == "http":
                await source.read_ahead()
            await self._app(scope, source.receive if scope["type"] == "http" else receive, seen_by_us)
        finally:
            self._arrivals.end(arrival)


class _Source:
    """The request's messages, looked at as they pass."""

    def __init__(self, receive: Receive, arrival: Arrival) -> None:
        self._receive = receive
        self._arrival = arrival
        self._ahead: deque[Message] = deque()

    async def receive(self) -> Message:
        """The next for the endpoint."""
        return self._ahead.popleft() if self._ahead else await self._next()

    async def read_ahead(self) -> None:
        """Until the body is whole, long enough to be told, or late."""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while True:
                    message = await self._next()
                    self._ahead.append(message)
                    if not message.get("more_body") or self._arrival.size >= LONGEST_BODY:
                        return
        except TimeoutError:
            return

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._arrival.received(message.get("body", b""))
        return message


# --- how one is described ------------------------------------------------------------------------------


def _described(arrival: Arrival) -> RequestArrived:
    scope, body = arrival.scope, bytes(arrival.body)
    headers = Headers(scope=scope)
    content_type = headers.get("content-type", "")
    credentials = headers.get("authorization", "")
    key = credentials.partition(" ")[2].strip()
    redactor = Redactor([] if is_placeholder(key) else [key])
    query = scope.get("query_string", b"").decode("latin-1")
    parts = _parts(body, content_type)
    readable = unquote_to_bytes(body.replace(b"+", b" ")) if media_type(content_type) == URLENCODED else body
    code, message = _error(bytes(arrival.reply)) if (arrival.status or 0) >= 400 else ("", "")

    def shown(text: bytes) -> str:
        # Redacted before it is cut, so that no half of a secret is left.
        return redactor.text(text.decode("utf-8", "replace"))[:START]

    return RequestArrived(
        at=arrival.at,
        side="upstream",
        id=arrival.id,
        method=scope.get("method", "WEBSOCKET"),
        url=redactor.text(scope["path"] + (f"?{query}" if query else ""))[:500],
        peer=":".join(map(str, scope.get("client") or ())),
        agent=redactor.text(headers.get("user-agent", ""))[:120],
        key=key if is_placeholder(key) else redactor.headers([("authorization", credentials)])[0][1],
        content_type=redactor.text(content_type)[:200],
        size=arrival.size,
        start="" if parts else shown(readable),
        parts=tuple(
            ArrivedPart(
                name=redactor.text(p.name)[:80],
                size=len(p.body),
                content_type=redactor.text(p.content_type or "")[:120],
                start=shown(p.body),
            )
            for p in parts[:MOST_PARTS]
        ),
        model=redactor.text(_model(query, body, parts))[:120],
        ufrag=peek_ufrag(body) or call_name(headers.get(CALL_HEADER, "")),
        status=arrival.status,
        call=scope.get(CALL_SCOPE, ""),
        code=redactor.text(code)[:120],
        message=redactor.text(message)[:500],
        answer=peek_ufrag(bytes(arrival.reply)) or "" if arrival.status in (200, 201) else "",
        took=0.0 if arrival.ended_at is None else arrival.ended_at - arrival.at,
    )


def _parts(body: bytes, content_type: str) -> tuple[FormPart, ...]:
    if media_type(content_type) != "multipart/form-data":
        return ()
    try:
        return parse_multipart(body, content_type)
    except MultipartInvalidError:
        return ()


def _model(query: str, body: bytes, parts: Iterable[FormPart]) -> str:
    """The model that is asked for: in the query, in the part `session`, or in a JSON body."""
    if named := parse_qs(query).get("model"):
        return named[-1]
    session = next((p.body for p in parts if p.name == "session"), body)
    try:
        data = msgspec.json.decode(session)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    for place in (data, data.get("session") if isinstance(data, dict) else None):
        if isinstance(place, dict) and isinstance(place.get("model"), str):
            return str(place["model"])
    return ""


def _error(reply: bytes) -> tuple[str, str]:
    try:
        error = json.loads(reply)["error"]
        return str(error.get("code") or ""), str(error.get("message") or "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", reply.decode("utf-8", "replace").strip()
