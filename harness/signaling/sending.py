"""One HTTP request to the relay, every byte both ways on the timeline: no retry, no redirect followed."""

from __future__ import annotations

import asyncio
import base64
import codecs
import os
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.clock import Clock
from harness.core.errors import HarnessError, UsageError
from harness.core.events import Event, HttpFailed, HttpRequest, HttpResponse, SecretSeen
from harness.core.own_means import raise_for_want
from harness.core.redaction import Redactor, known, leaked_key
from harness.signaling.failures import classify, innermost
from harness.signaling.reading import read_body

USER_AGENT = "voice-relay-harness"
LARGEST_BODY = 1 << 20  # bytes of a body that are recorded: an answer has a few thousand
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
OF_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", *CERTIFICATES)
_READ_AHEAD = 1 << 12  # bytes read beyond, so that a secret across the cut is whole when it is redacted


def new_client(target: Target, timeouts: Timeouts) -> httpx.AsyncClient:
    """A client for all requests to the target; each is a caller of its own.

    Connections are not kept, because one that the relay closes while idle would look like a dropped call.
    Cookies are not kept either. Proxies of the environment (HTTPS_PROXY, NO_PROXY) are honoured, but not for
    loopback; its certificates (SSL_CERT_FILE) are everywhere.
    """
    try:
        return httpx.AsyncClient(
            verify=tls_context(target),
            timeout=httpx.Timeout(timeouts.answer, connect=timeouts.connect),
            follow_redirects=False,  # a redirect to a login page is a finding, not a way to the answer
            trust_env=not target.on_loopback,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        )
    except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
        # A proxy of another kind (SOCKS), one that is no URL, or a file of certificates that there is not.
        raise UsageError(
            f"the environment's proxy or certificates cannot be used: {_first_words(error)}",
            f"look at {', '.join(_set_of(OF_NETWORK))}; a proxy is http://HOST:PORT or https://HOST:PORT",
        ) from None  # the cause may quote a proxy's password


def tls_context(target: Target) -> ssl.SSLContext | bool:
    """Whom a client trusts: the environment's SSL_CERT_FILE or SSL_CERT_DIR, else the authorities of certifi.

    Raises UsageError where such a file cannot be used. True where the target speaks no TLS.
    """
    if not target.url.startswith(("https:", "wss:")):
        return True
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise UsageError(
            f"the environment's certificates cannot be used: {_first_words(error)}",
            f"look at {', '.join(_set_of(CERTIFICATES))}",
        ) from None


def _set_of(names: Sequence[str]) -> list[str]:
    """Those that are set, in either case."""
    return [n for name in names for n in (name, name.lower()) if os.environ.get(n)] or list(names)


def _first_words(error: Exception) -> str:
    if isinstance(error, ImportError):
        return "a SOCKS proxy, which is not supported"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "a proxy's address that is no URL"


@dataclass(frozen=True)
class HttpReply:
    """A whole response; `content` is cut where it is larger than an answer could be."""

    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300

    def header(self, name: str) -> str:
        """The first of that name, in lower case here; empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass(frozen=True)
class OpenSession:
    """What a WHIP target made of an offer: where it is asked and ended, and its entity-tag."""

    url: str
    etag: str


@dataclass(frozen=True)
class Sender:
    """Sends requests, and records each with what came of it, secrets redacted.

    `sessions`: what its offers made at a WHIP target, and nobody has ended yet.
    """

    client: httpx.AsyncClient
    timeouts: Timeouts
    record: Callable[[Event], None]
    clock: Clock
    redactor: Redactor
    sessions: list[OpenSession] = field(default_factory=list)

    async def send(
        self,
        request: httpx.Request,
        *,
        purpose: str,
        case: str = "",
        secret_in: Callable[[HttpReply], str] | None = None,
    ) -> HttpReply | None:
        """The reply; None where no whole one came within the time-out, and the record says why.

        `secret_in` says which text of the reply is a secret that was asked for: it is kept off the record.
        `at` of the recorded response is the moment of its last byte.
        """
        self._record_request(request, purpose, case)
        response: httpx.Response | None = None
        connected = _Connected()
        request.extensions = {**request.extensions, "trace": connected.trace}
        try:
            async with asyncio.timeout(self.timeouts.answer):
                response = await self.client.send(request, stream=True)
                try:
                    reply = HttpReply(
                        response.status_code,
                        _headers(response.headers),
                        await read_body(response, LARGEST_BODY + _READ_AHEAD),
                    )
                finally:
                    await response.aclose()
        except httpx.LocalProtocolError as error:
            raise HarnessError(
                f"the request to {request.url.host} cannot be written: {self.redactor.text(str(error))}",
                "look at the target's headers and cookies",
            ) from None  # the cause quotes the header, which may be a secret
        except (httpx.HTTPError, TimeoutError) as error:
            raise_for_want(error, f"connect to {request.url.host}")
            failure = _failure(error, response, is_connected=bool(connected))
            detail = self._detail(error, failure, response)
            self.record(HttpFailed(at=self.clock.now(), failure=failure, detail=detail, purpose=purpose))
            return None
        secret = secret_in(reply) if secret_in is not None else ""
        self._record_reply(reply, purpose, secret)
        return reply

    def _record_request(self, request: httpx.Request, purpose: str, case: str) -> None:
        body, is_base64 = self._body(request.content)
        self.record(
            HttpRequest(
                at=self.clock.now(),
                method=request.method,
                url=self.redactor.text(str(request.url)),
                headers=self.redactor.headers(_headers(request.headers)),
                body=body,
                body_base64=is_base64,
                purpose=purpose,
                case=case,
            )
        )

    def _record_reply(self, reply: HttpReply, purpose: str, secret: str) -> None:
        now = self.clock.now()
        content = reply.content
        if secret:
            content = content.replace(secret.encode(), known(secret).encode())
        body, is_base64 = self._body(content)
        self.record(
            HttpResponse(
                at=now,
                status=reply.status,
                headers=self.redactor.headers(reply.headers),
                body=body,
                body_base64=is_base64,
                purpose=purpose,
            )
        )
        places = [(f"response header {name.lower()}", value) for name, value in reply.headers]
        for where, text in [*places, ("response body", content.decode("utf-8", "replace"))]:
            excerpt = leaked_key(text)
            if excerpt is not None:
                self.record(SecretSeen(at=now, where=where, excerpt=excerpt))

    def _body(self, content: bytes) -> tuple[str, bool]:
        """Text, or base64 where it is no UTF-8, with a note where it was cut."""
        content = self.redactor.data(content)
        kept, cut = content[:LARGEST_BODY], len(content) > LARGEST_BODY
        try:
            text = codecs.getincrementaldecoder("utf-8")().decode(kept, final=not cut)
        except UnicodeDecodeError:
            return base64.b64encode(kept).decode(), True
        return (f"{text}\n[cut after {LARGEST_BODY} bytes]" if cut else text), False

    def _detail(self, error: BaseException, failure: str, response: httpx.Response | None) -> str:
        if failure == "unanswered":
            return f"no connection within {self.timeouts.connect:g} s"
        if isinstance(error, httpx.ConnectTimeout):
            return (
                f"the connection was accepted, and no TLS handshake came within {self.timeouts.connect:g} s"
            )
        if failure in ("timeout", "unfinished"):
            detail = f"no whole response within {self.timeouts.answer:g} s"
        else:
            detail = innermost(error)
        begun = f"status {response.status_code} came, but not its whole body: " if response else ""
        return self.redactor.text(begun + detail)


class _Connected:
    """Whether the other end accepted the connection, as httpcore tells of its progress."""

    def __init__(self) -> None:
        self._is_so = False

    def __bool__(self) -> bool:
        return self._is_so

    async def trace(self, event: str, _info: object) -> None:
        """Told of each step."""
        self._is_so |= event == "connection.connect_tcp.complete"


def _failure(error: BaseException, response: httpx.Response | None, *, is_connected: bool) -> str:
    """A target that accepted us and says nothing was reached: it hangs."""
    failure = classify(error)
    if failure == "unanswered" and is_connected:
        return "timeout"
    if failure == "timeout" and not is_connected and not isinstance(error, httpx.TimeoutException):
        return "unanswered"  # our own time-out, in the middle of a look-up or a connection
    return "unfinished" if failure == "timeout" and response is not None else failure


def _headers(headers: httpx.Headers) -> tuple[tuple[str, str], ...]:
    """Names and values as they are on the wire, in order."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw)
