import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.clock import ManualClock
from harness.core.events import Event
from harness.core.redaction import Redactor
from harness.core.timeline import Timeline
from harness.signaling.sending import Sender, new_client

OFFER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\na=sctp-port:5000\r\n"
)
ANSWER = OFFER.replace("o=- 1 1", "o=- 2 2")
URL = "http://127.0.0.1:8000/api/voice/webrtc/session"

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Bench:
    """One caller's signaling: what it sends with, and what it recorded."""

    target: Target
    client: httpx.AsyncClient
    timeouts: Timeouts
    timeline: Timeline = field(default_factory=Timeline)
    clock: ManualClock = field(default_factory=ManualClock)

    @property
    def redactor(self) -> Redactor:
        return self.target.redactor()

    @property
    def sender(self) -> Sender:
        return Sender(self.client, self.timeouts, self.record, self.clock, self.redactor)

    def record(self, event: Event) -> None:
        self.clock.advance(0.001)
        self.timeline.append(event)


OpenBench = Callable[..., AbstractAsyncContextManager[Bench]]


@pytest.fixture
def open_bench() -> OpenBench:
    """A bench for a target; its client is closed in the end."""

    @asynccontextmanager
    async def opened(target: Target | str = URL, *, timeouts: Timeouts | None = None) -> AsyncIterator[Bench]:
        target = Target(target) if isinstance(target, str) else target
        timeouts = timeouts or Timeouts()
        async with new_client(target, timeouts) as client:
            yield Bench(target, client, timeouts)

    return opened


@asynccontextmanager
async def tcp_server(handle: Handle) -> AsyncIterator[str]:
    """A server that does with each connection whatever a test wants; gives its URL."""
    handlers: set[asyncio.Task[None]] = set()

    async def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            await handle(reader, writer)
        finally:
            handlers.discard(task)
            writer.close()

    server = await asyncio.start_server(on_connect, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}/session"
    finally:
        server.close()
        for task in tuple(handlers):
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of one HTTP request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    return head, await reader.readexactly(length)
