"""What may answer an upgrade, and one line for each that is no WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from harness.config.timeouts import Timeouts
from harness.core.clock import MonotonicClock, RelativeClock
from harness.core.events import Event, HttpFailed, HttpRequest, HttpResponse, SecretSeen
from harness.core.redaction import Redactor
from harness.websocket.opening import Opening, RelayConnection

SECRET = "cookie-of-somebody"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def says(data: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(data)
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    return answer


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def cuts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.transport.abort()


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    answers: list[tuple[asyncio.Task[None], asyncio.StreamWriter]] = []

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.append((asyncio.ensure_future(answer(reader, writer)), writer))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/voice?token={SECRET}"
        for task, writer in answers:
            task.cancel()
            writer.transport.abort()
            await asyncio.gather(task, writer.wait_closed(), return_exceptions=True)


async def opened(url: str, within: float = 10.0) -> tuple[RelayConnection | None, list[Event]]:
    events: list[Event] = []
    timeouts = Timeouts(answer=within)
    opening = Opening(events.append, RelativeClock(MonotonicClock()), Redactor([SECRET]), timeouts)
    headers = [("Cookie", f"session={SECRET}"), ("Origin", "https://app.example")]
    connection = await opening.open(url, headers, ["realtime"], purpose="upgrade")
    assert SECRET not in str(events)
    assert isinstance(events[0], HttpRequest)
    assert dict(events[0].headers)["Sec-WebSocket-Protocol"] == "realtime"
    return connection, events


@pytest.mark.parametrize(
    ("answer", "failure", "detail"),
    [
        (hangs, "timeout", "no answer to the upgrade within 0.5 s"),
        (cuts, "dropped", ""),
        (says(b""), "dropped", ""),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "protocol", ""),
        (says(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), "handshake", "Connection"),
        (
            says(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: bm90aGluZw==\r\n\r\n"
            ),
            "handshake",
            "Sec-WebSocket-Accept",
        ),
    ],
)
async def test_what_is_no_answer_is_told_in_a_word(answer: Answer, failure: str, detail: str) -> None:
    async with answering(answer) as url:
        connection, events = await opened(url, 0.5 if failure == "timeout" else 10.0)
    assert connection is None
    (failed,) = [e for e in events if isinstance(e, HttpFailed)]
    assert failed.failure == failure
    assert detail in failed.detail
    assert "\n" not in failed.detail


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (PAGE, 200),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404),
        # A page's WebSocket follows no redirect.
        (b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302),
        (b"HTTP/1.1 403 Forbidden\r\nX-Key: sk-0123456789abcdef0123\r\nContent-Length: 0\r\n\r\n", 403),
    ],
)
async def test_a_refusal_is_kept_with_its_status(answer: bytes, status: int) -> None:
    async with answering(says(answer)) as url:
        connection, events = await opened(url)
    assert connection is None
    (response,) = [e for e in events if isinstance(e, HttpResponse)]
    assert response.status == status
    leaked = [e for e in events if isinstance(e, SecretSeen)]
    assert bool(leaked) == (b"sk-0123" in answer)
    assert "sk-0123" not in str(events)


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("ws://127.0.0.1:9/", "refused"),
        ("ws://nowhere.invalid/", "unresolved"),
        ("wss://127.0.0.1:PORT/", "tls"),
    ],
)
async def test_where_nobody_is_the_reason_is_told(url: str, failure: str) -> None:
    async with answering(says(PAGE)) as other:
        port = other.rpartition(":")[2].partition("/")[0]
        connection, events = await opened(url.replace("PORT", port))
    assert connection is None
    (failed,) = [e for e in events if isinstance(e, HttpFailed)]
    assert failed.failure == failure
