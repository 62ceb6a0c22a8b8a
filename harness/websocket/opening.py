"""Opening a WebSocket as a browser does: one GET, an answer of 101, no redirect; all on the timeline."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol

from harness.config.timeouts import Timeouts
from harness.core.clock import Clock
from harness.core.events import Event, HttpFailed, HttpRequest, HttpResponse, SecretSeen
from harness.core.loopback import is_loopback
from harness.core.own_means import raise_for_want
from harness.core.redaction import Redactor, leaked_key

USER_AGENT = "voice-relay-harness"
LARGEST_MESSAGE = 24 * 1024 * 1024  # bytes: OpenAI's longest event
LONGEST_BODY = 1 << 16  # characters that are recorded of a refusal
CLOSE_SECONDS = 2.0

_quiet = logging.getLogger(f"{__name__}.websockets")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False  # what the other end does wrong is on the timeline


class RelayConnection(ClientConnection):
    """A connection that counts the pings which came, and knows whether anybody accepted it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.pings = 0
        self.is_connected = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP, and TLS, are up."""
        self.is_connected = True
        super().connection_made(transport)

    def process_event(self, event: Any) -> None:
        """Look at each frame as it passes."""
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.pings += 1
        super().process_event(event)

    @property
    def waiting(self) -> int:
        """Bytes handed over that the other end has not taken."""
        return int(self.transport.get_write_buffer_size())


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        """A page's WebSocket follows none (WHATWG WebSockets standard, section 3.1)."""
        return exc


class Opening:
    """Opens connections to one target, and records each with what came of it, secrets redacted."""

    def __init__(
        self, record: Callable[[Event], None], clock: Clock, redactor: Redactor, timeouts: Timeouts
    ) -> None:
        self._record = record
        self._clock = clock
        self._redactor = redactor
        self._timeouts = timeouts

    async def open(
        self, url: str, headers: Sequence[tuple[str, str]], subprotocols: Sequence[str], *, purpose: str
    ) -> RelayConnection | None:
        """The open connection; None where there is none, and the record says why."""
        made: list[RelayConnection] = []

        class Made(RelayConnection):
            """Known also where it does not open."""

            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options)
                made.append(self)

        self._request(url, [*headers, *_subprotocol_header(subprotocols)], purpose)
        try:
            connection = await _Connect(
                url,
                additional_headers=list(headers),
                subprotocols=[Subprotocol(name) for name in subprotocols] or None,
                user_agent_header=USER_AGENT,
                create_connection=Made,
                open_timeout=self._timeouts.answer,
                ping_interval=None,  # a page's WebSocket sends none
                close_timeout=CLOSE_SECONDS,
                max_size=LARGEST_MESSAGE,
                proxy=None if is_loopback(urlsplit(url).hostname or "") else True,
                logger=_quiet,
            )
        except InvalidStatus as refused:
            response = refused.response
            body = (response.body or b"").decode("utf-8", "replace")[:LONGEST_BODY]
            self._response(response.status_code, response.headers.raw_items(), body, purpose)
            return None
        except (OSError, TimeoutError, InvalidHandshake, EOFError) as error:
            raise_for_want(error, f"connect to {urlsplit(url).hostname}")
            self._failed(error, made[-1] if made else None, purpose)
            return None
        answer = connection.response
        self._response(101, answer.headers.raw_items() if answer else (), "", purpose)
        assert isinstance(connection, RelayConnection)  # noqa: S101  (as created)
        return connection

    def _request(self, url: str, headers: Sequence[tuple[str, str]], purpose: str) -> None:
        self._record(
            HttpRequest(
                at=self._clock.now(),
                method="GET",
                url=self._redactor.text(url),
                headers=self._redactor.headers([*headers, ("Upgrade", "websocket")]),
                purpose=purpose,
            )
        )

    def _response(self, status: int, headers: Any, body: str, purpose: str) -> None:
        now, pairs = self._clock.now(), [(str(name), str(value)) for name, value in headers]
        self._record(
            HttpResponse(
                at=now,
                status=status,
                headers=self._redactor.headers(pairs),
                body=self._redactor.text(body),
                purpose=purpose,
            )
        )
        places = [(f"response header {name.lower()}", value) for name, value in pairs]
        for where, text in [*places, ("response body", body)]:
            if (excerpt := leaked_key(text)) is not None:
                self._record(SecretSeen(at=now, where=where, excerpt=excerpt))

    def _failed(self, error: BaseException, connection: RelayConnection | None, purpose: str) -> None:
        is_connected = connection is not None and connection.is_connected
        failure = _classify(error, is_connected=is_connected)
        detail = {
            "timeout": f"no answer to the upgrade within {self._timeouts.answer:g} s",
            "unanswered": f"no connection within {self._timeouts.answer:g} s",
        }.get(failure) or self._redactor.text(_innermost(error))
        self._record(HttpFailed(at=self._clock.now(), failure=failure, detail=detail, purpose=purpose))


def _subprotocol_header(subprotocols: Sequence[str]) -> list[tuple[str, str]]:
    return [("Sec-WebSocket-Protocol", ", ".join(subprotocols))] if subprotocols else []


def _classify(error: BaseException, *, is_connected: bool) -> str:
    """In a word, as of an HTTP request; `handshake`: an answer that is no WebSocket's."""
    chain = list(_causes(error))

    def behind(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in chain)

    if behind(socket.gaierror):
        return "unresolved"
    if behind(ssl.SSLError):
        return "tls"
    if isinstance(error, TimeoutError):
        return "timeout" if is_connected else "unanswered"
    if isinstance(error, InvalidMessage):
        return "dropped" if behind(EOFError, ConnectionError) else "protocol"
    if isinstance(error, InvalidHandshake):
        return "handshake"
    return "dropped" if is_connected else "refused"


def _innermost(error: BaseException) -> str:
    *_, first = _causes(error)
    return str(first) or str(error) or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__
