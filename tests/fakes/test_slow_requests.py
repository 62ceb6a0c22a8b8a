"""Whoever holds a connection without a whole request is sent away; whoever waits for an answer is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send

from harness.fakes import serving
from harness.fakes.serving import running

PATIENCE = 0.3
WITHIN = 5.0


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers a second later, once the body is there."""
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(3 * PATIENCE if scope["path"] == "/slow" else 0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(serving, "ARRIVING_SECONDS", PATIENCE)
    monkeypatch.setattr(serving, "LOOK_SECONDS", PATIENCE / 4)
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 3)
    async with running(_http_only) as url:
        yield int(url.rpartition(":")[2])


async def _http_only(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await app(scope, receive, send)


async def said(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """All that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(WITHIN):
            return await reader.read()
    finally:
        await closed(writer)


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
CLOSE = b"Connection: close\r\n"


@pytest.mark.parametrize(
    "half",
    [b"", b"P", HEAD, HEAD + b"X-A: ", HEAD + b"Content-Length: 10\r\n\r\nx"],
    ids=["nothing", "a letter", "a line", "half a header", "half a body"],
)
async def test_half_a_request_is_closed_in_time(port: int, half: bytes) -> None:
    answer = await said(port, half)
    assert answer == b"" or b" 408 " in answer


async def test_half_a_second_request_is_closed_in_time(port: int) -> None:
    whole = HEAD + b"Content-Length: 0\r\n\r\n"
    answer = await said(port, whole, HEAD, pause=PATIENCE / 3)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b" 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


async def test_an_answer_may_take_its_time(port: int) -> None:
    request = b"GET /slow HTTP/1.1\r\nHost: x\r\n" + CLOSE + b"\r\n"
    assert (await said(port, request)).endswith(b"ok")


async def test_there_are_no_more_connections_than_so_many(port: int) -> None:
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    await asyncio.sleep(0.05)
    assert b" 503 " in await said(port)
    for _, writer in held:
        await closed(writer)
    async with asyncio.timeout(5):  # until the server has seen that they are closed
        while not (await said(port, HEAD + CLOSE + b"Content-Length: 0\r\n\r\n")).endswith(b"ok"):
            await asyncio.sleep(0.01)
