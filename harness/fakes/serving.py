"""Running an ASGI app on a socket of ours: ready when it says so, stopped without leaving anything behind."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from harness.core.errors import HarnessError, UsageError
from harness.platform.addresses import claim
from harness.platform.signals import INTERRUPTING, handled

STOP_SECONDS = 2.0
END_SECONDS = 20.0  # for connections, and then for what the app itself ends: hundreds of calls, perhaps
KEEP_ALIVE_SECONDS = 75
# One append of audio is at most 15 MiB (OpenAI's API reference), which base64 makes 20 MiB.
LONGEST_WEBSOCKET_MESSAGE = 24 * 1024 * 1024

ARRIVING_SECONDS = 10.0  # for a whole request, from its first byte or the connection
LOOK_SECONDS = 2.5
MOST_CONNECTIONS = 1000  # at a time

Adopt = Callable[[socket.socket, bytes], Coroutine[Any, Any, None]]


class _Protocol(H11Protocol):
    """Hands each request the means to drop its connection, as `scope["state"]["drop_connection"]`."""

    head = b""  # what somebody else has read of the connection already
    _since: float | None = None  # when the request began that is not here as a whole

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.write(_refusal(503, "Service Unavailable"))
            transport.close()
            return
        self.app_state = {**self.app_state, "drop_connection": transport.abort}
        self._since = self.loop.time()
        self._look_again()
        if self.head:
            self.data_received(self.head)

    def data_received(self, data: bytes) -> None:
        if self._since is None and (self.cycle is None or self.cycle.response_complete):
            self._since = self.loop.time()
        super().data_received(data)
        if self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete:
            self._since = None  # it is here, and an answer may take its time

    def _look_again(self) -> None:
        self.loop.call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """Close what only holds a connection: a request that was begun, or not even that."""
        transport = self.transport
        if transport.is_closing() or transport.get_protocol() is not self:  # gone, or a WebSocket by now
            return
        if (
            self.cycle is not None
            and self.cycle.response_complete
            and self.conn.their_state is h11.IDLE
            and not self.conn.trailing_data[0]
        ):
            self._since = None  # between two requests: KEEP_ALIVE_SECONDS
        if self._since is None or self.loop.time() - self._since < ARRIVING_SECONDS:
            self._look_again()
            return
        if self.cycle is None or self.cycle.response_complete:
            transport.write(_refusal(408, "Request Timeout"))
        transport.close()


def _refusal(status: int, reason: str) -> bytes:
    return f"HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


class _WebSocketProtocol(WebSocketsSansIOProtocol):
    """Hands each connection the means to choose its pings, as `scope["state"]["keep_alive"]`."""

    answers_pings = True

    def handle_connect(self, event: Any) -> None:
        self.app_state = {**self.app_state, "keep_alive": self._keep_alive}
        super().handle_connect(event)

    def handle_ping(self) -> None:
        if self.answers_pings:
            super().handle_ping()
        else:
            self.conn.data_to_send()  # the pong that was made of it

    def _keep_alive(self, *, interval: float | None, answers: bool) -> None:
        self.ping_interval, self.answers_pings = interval, answers


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: who runs it decides when it stops."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def adopt(self, connection: socket.socket, head: bytes) -> None:
        """Serve a connection that somebody else accepted and has read `head` from; closes it in any case."""

        def protocol() -> _Protocol:
            made = _Protocol(self.config, self.server_state, self.lifespan.state)
            made.head = head
            return made

        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)
        except OSError:  # the client was quicker to close
            connection.close()


@contextlib.asynccontextmanager
async def running(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve `app` and yield its base URL; port 0 takes a free one. Raises UsageError when it cannot bind."""
    listener = bind(host, port)
    try:
        async with _serving(app, [listener], f"{host}:{port}"):
            yield base_url(listener)
    finally:
        listener.close()


@contextlib.asynccontextmanager
async def adopting(app: ASGIApp) -> AsyncIterator[Adopt]:
    """Serve `app` on connections that are given, with what was read of each; one request for each.

    The next request may be for another process, so the client is told to make a new connection for it.
    """
    async with _serving(_one_request_each(app), [], "connections that are handed over") as server:
        yield server.adopt


@contextlib.asynccontextmanager
async def _serving(app: ASGIApp, listeners: Sequence[socket.socket], where: str) -> AsyncIterator[_Server]:
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws=_WebSocketProtocol,
        ws_max_size=LONGEST_WEBSOCKET_MESSAGE,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(STOP_SECONDS),
        # Longer than any client keeps an idle connection (httpx: 5 s, as uvicorn itself): one that both ends
        # give up at the same moment loses the request that is sent on it.
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=list(listeners)))
    ready = asyncio.create_task(server.ready.wait())
    try:
        await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            raise HarnessError(f"the server on {where} did not start", "see the log above")
        yield server
    finally:
        ready.cancel()
        server.should_exit = True
        _, late = await asyncio.wait({serving, ready}, timeout=END_SECONDS)
        for each in late:  # something in its end does not end
            each.cancel()
        await asyncio.wait({serving, ready}, timeout=STOP_SECONDS)
    if serving.done() and not serving.cancelled():
        serving.result()


def _one_request_each(app: ASGIApp) -> ASGIApp:
    async def closing(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_close(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await app(scope, receive, send_with_close if scope["type"] == "http" else send)

    return closing


def bind(host: str, port: int) -> socket.socket:
    """A bound TCP socket. Raises UsageError naming the address and the remedy."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UsageError(f"{host!r} is not an address to bind to", "try 127.0.0.1:8089") from error
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    claim(listener)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise UsageError(f"{host}:{port} cannot be bound: {error.strerror}", _remedy(error)) from error
    listener.setblocking(False)
    return listener


def _remedy(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program listens there; stop it, or choose another port (0 takes a free one)"
    if error.errno == errno.EACCES:
        return "ports under 1024 need privileges; choose a higher one"
    return "choose an address of this machine, such as 127.0.0.1"


def base_url(listener: socket.socket) -> str:
    """`http://127.0.0.1:8089`; IPv6 in brackets."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that SIGINT, SIGTERM and SIGHUP set. Enter before anybody is told that the server is ready."""
    stopped = asyncio.Event()
    with handled(asyncio.get_running_loop(), INTERRUPTING, stopped.set):
        yield stopped


def drop_connection(scope: Any) -> None:
    """Cut the TCP connection of a request served by `running`, without a response."""
    scope["state"]["drop_connection"]()


def keep_alive(scope: Any, *, interval: float | None, answers: bool = True) -> None:
    """How often a WebSocket served by `running` is pinged, and whether it answers; before it is accepted."""
    scope["state"]["keep_alive"](interval=interval, answers=answers)
