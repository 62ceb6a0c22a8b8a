"""HTTP for thousands of offers a second: aiohttp, whose parser is in C; httpx for HTTP/2.

An offer costs 0.2 ms of CPU so (docs/load.md), where httpx takes 1 to 2.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol

import aiohttp
import httpx

from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.errors import UsageError
from harness.signaling.sending import LARGEST_BODY, USER_AGENT, tls_context

OURS = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}


@dataclass(frozen=True)
class WholeReply:
    """What came. `failure` in place of a status where nothing whole did."""

    status: int = 0
    headers: Mapping[str, str] = None  # type: ignore[assignment]  # always given, or there is a failure
    body: bytes = b""
    failure: str = ""


class Posting(Protocol):
    """How a request is made. It raises nothing: what goes wrong is a `failure`."""

    async def ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> WholeReply: ...


async def open_posting(
    stack: AsyncExitStack, target: Target, timeouts: Timeouts, *, keep_alive: bool, http2: bool
) -> Posting:
    """A client that is closed with the stack. Raises UsageError where HTTP/2 is not to be had."""
    if not http2:
        tls = tls_context(target)  # as httpx has it: a sample must find the same target trusted
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=not keep_alive, ttl_dns_cache=60, ssl=tls),
            timeout=aiohttp.ClientTimeout(total=timeouts.answer, sock_connect=timeouts.connect),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=not target.on_loopback,
            headers=OURS,
            auto_decompress=False,
        )
        return _ByAiohttp(await stack.enter_async_context(session))
    return _ByHttpx(await stack.enter_async_context(new_http2_client(target, timeouts)), timeouts.answer)


def new_http2_client(target: Target, timeouts: Timeouts) -> httpx.AsyncClient:
    """Raises UsageError where what it takes is not installed."""
    if find_spec("h2") is None:
        raise UsageError("--http2 needs what is not installed here", "pip install 'httpx[http2]'")
    return httpx.AsyncClient(
        http1=target.url.startswith("https:"),  # TLS agrees on it (RFC 9113, section 3.2); without, both know
        http2=True,
        verify=tls_context(target),
        timeout=httpx.Timeout(timeouts.answer, connect=timeouts.connect),
        limits=httpx.Limits(max_connections=None),
        trust_env=not target.on_loopback,
        headers=OURS,
    )


class _ByAiohttp:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> WholeReply:
        try:
            async with self._session.request(
                method, url, data=body or None, headers=headers, allow_redirects=False
            ) as reply:
                return WholeReply(reply.status, reply.headers, await _bounded(reply))
        except TimeoutError:
            return WholeReply(failure="no whole answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return WholeReply(failure=_words(error))


async def _bounded(reply: aiohttp.ClientResponse) -> bytes:
    """The body, up to what an answer could be."""
    if reply.content_length is not None and reply.content_length <= LARGEST_BODY:
        return await reply.read()
    try:
        return await reply.content.readexactly(LARGEST_BODY)
    except asyncio.IncompleteReadError as whole:
        return whole.partial


class _ByHttpx:
    def __init__(self, client: httpx.AsyncClient, seconds: float) -> None:
        self._client = client
        self._seconds = seconds

    async def ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> WholeReply:
        try:
            async with asyncio.timeout(self._seconds):
                async with self._client.stream(method, url, content=body, headers=dict(headers)) as reply:
                    whole = b""
                    async for chunk in reply.aiter_raw():
                        whole += chunk
                        if len(whole) > LARGEST_BODY:
                            break
                return WholeReply(reply.status_code, reply.headers, whole[:LARGEST_BODY])
        except (TimeoutError, httpx.TimeoutException):
            return WholeReply(failure="no whole answer in time")
        except httpx.HTTPError as error:
            return WholeReply(failure=_words(error))


def _words(error: Exception) -> str:
    """In words that are the same for all of a kind: they are counted."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLError) and (said := _tls_words(found)):
            return said
        if isinstance(found, ConnectionRefusedError):
            return "nobody listens"
        if isinstance(
            found, ConnectionResetError | aiohttp.ServerDisconnectedError | httpx.RemoteProtocolError
        ):
            return "the connection was cut"
        found = found.__cause__ or found.__context__
    return type(error).__name__


def _tls_words(error: ssl.SSLError) -> str:
    """Empty for one that only wraps another: aiohttp's have no words of their own."""
    if said := getattr(error, "verify_message", ""):
        advice = " (an authority of your own is named by SSL_CERT_FILE)" if "issuer" in said else ""
        return f"the certificate is not trusted: {said.rstrip('.')}{advice}"
    reason = getattr(error, "reason", "")
    return f"no TLS: {reason.lower().replace('_', ' ')}" if reason else ""
