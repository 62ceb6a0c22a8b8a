"""Serving on sockets of our own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from harness.core.errors import UsageError
from harness.core.host_port import split_bind
from harness.fakes import serving
from harness.fakes.serving import base_url, bind, drop_connection, running


async def hello(_request: Request) -> Response:
    return PlainTextResponse("hello")


async def hang(_request: Request) -> Response:
    await asyncio.sleep(60)
    return Response()


async def drop(request: Request) -> Response:
    drop_connection(request.scope)
    return Response()


APP = Starlette(routes=[Route("/", hello), Route("/hang", hang), Route("/drop", drop)])


async def test_it_serves_until_left_and_leaves_nothing() -> None:
    """The port is free again, and no task is left."""
    async with running(APP) as url, httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(url)).text == "hello"
        port = int(url.rpartition(":")[2])
    async with running(APP, port=port) as again:
        assert again == url
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_port_in_use_is_a_usage_error_that_names_it() -> None:
    """With what to do about it."""
    async with running(APP) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(UsageError, match=f"127.0.0.1:{port} cannot be bound.*choose another port"):
            async with running(APP, port=port):
                pass


async def test_a_connection_can_be_dropped_without_a_response() -> None:
    """Not even a status line."""
    async with running(APP) as url, httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.get(f"{url}/drop")


async def test_a_hanging_request_does_not_keep_it_from_stopping() -> None:
    """It is given its time, then cut off."""
    async with httpx.AsyncClient(trust_env=False) as client:
        async with asyncio.timeout(8), running(APP) as url:
            hanging = asyncio.create_task(client.get(f"{url}/hang"))
            await client.get(url)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError, httpx.HTTPError)):
            (await hanging).raise_for_status()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("127.0.0.1:8089", ("127.0.0.1", 8089)), ("[::1]:0", ("::1", 0)), (":80", ("127.0.0.1", 80))],
)
def test_a_bind_address_is_split(text: str, expected: tuple[str, int]) -> None:
    """Host and port; IPv6 in brackets."""
    assert split_bind(text) == expected


@pytest.mark.parametrize("text", ["", "8089", "host", "host:port", "host:70000"])
def test_what_is_no_bind_address_is_a_usage_error(text: str) -> None:
    """With an example of one that is."""
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:8089"):
        split_bind(text)


def test_an_address_of_another_machine_cannot_be_bound() -> None:
    """The message says so, and names it."""
    with pytest.raises(UsageError, match=r"192\.0\.2\.1:0 cannot be bound"):
        bind("192.0.2.1", 0)
    with pytest.raises(UsageError, match="not an address"):
        bind("no such host!", 0)


def test_a_base_url_has_brackets_around_ipv6() -> None:
    """As URLs need it."""
    with socket.socket(socket.AF_INET6) as listener:
        listener.bind(("::1", 0))
        assert base_url(listener).startswith("http://[::1]:")


async def test_an_app_that_does_not_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "END_SECONDS", 0.3)
    monkeypatch.setattr(serving, "STOP_SECONDS", 0.3)

    @contextlib.asynccontextmanager
    async def never_ends(_app: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.sleep(3600)

    async with asyncio.timeout(20), running(Starlette(lifespan=never_ends)) as url:
        assert url.startswith("http://")
