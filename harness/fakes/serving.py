"""Running an ASGI app on a socket of ours: ready when it says so, stopped without leaving anything behind."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from harness.core.errors import HarnessError, UsageError

STOP_SECONDS = 2.0
# One append of audio is at most 15 MiB (OpenAI's API reference), which base64 makes 20 MiB.
LONGEST_WEBSOCKET_MESSAGE = 24 * 1024 * 1024


class _Protocol(H11Protocol):
    """Hands each request the means to drop its connection, as `scope["state"]["drop_connection"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.app_state = {**self.app_state, "drop_connection": transport.abort}


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


@contextlib.asynccontextmanager
async def running(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve `app` and yield its base URL; port 0 takes a free one. Raises UsageError when it cannot bind."""
    listener = bind(host, port)
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="websockets-sansio",
        ws_max_size=LONGEST_WEBSOCKET_MESSAGE,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(STOP_SECONDS),
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    ready = asyncio.create_task(server.ready.wait())
    try:
        await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            raise HarnessError(f"the server on {host}:{port} did not start", "see the log above")
        yield base_url(listener)
    finally:
        ready.cancel()
        server.should_exit = True
        await asyncio.wait({serving, ready})
        listener.close()
    serving.result()


def bind(host: str, port: int) -> socket.socket:
    """A bound TCP socket. Raises UsageError naming the address and the remedy."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UsageError(f"{host!r} is not an address to bind to", "try 127.0.0.1:8089") from error
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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


def split_bind(bind_to: str) -> tuple[str, int]:
    """`HOST:PORT` as a pair. Raises UsageError."""
    host, colon, port = bind_to.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"{bind_to!r} is not HOST:PORT", "try 127.0.0.1:8089")
    return host.strip("[]") or "127.0.0.1", int(port)


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    return host in ("localhost", "::1") or host.startswith("127.")


@contextlib.contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set. Enter before anybody is told that the server is ready."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def drop_connection(scope: Any) -> None:
    """Cut the TCP connection of a request served by `running`, without a response."""
    scope["state"]["drop_connection"]()
