"""The page's HTTP, from the browser and not from the page: its offer whole, of all else that it was made."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from harness.browser.offers import find_offer, ufrag_of
from harness.core.clock import RelativeClock, monotonic_of_wall
from harness.core.events import (
    Event,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    OfferCreated,
    RequestMade,
    SecretSeen,
)
from harness.core.redaction import KEY_PATTERN, REDACTED, Redactor

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Request

LARGEST_BODY = 1 << 20  # bytes of a body that are recorded or looked at
TOLD_SECONDS, TOLD_POLLS = 0.1, 10  # in which the page's recorder says when a request was made
MOST_REQUESTS = 2_000  # of one call that are recorded
# What can hold a key. A picture or a font holds none.
READ = ("document", "script", "fetch", "xhr")
# As keys are: small and large letters and digits, mixed. `sk-cube-grid-animation` is a name of a style.
_MIXED = re.compile(r"(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])")

# Chromium's words → those of the timeline. What reached nobody is told from what was reached and failed.
FAILURES = {
    "ERR_CONNECTION_REFUSED": "refused",
    "ERR_ADDRESS_UNREACHABLE": "unanswered",
    "ERR_CONNECTION_TIMED_OUT": "unanswered",
    "ERR_NAME_NOT_RESOLVED": "unresolved",
    "ERR_INTERNET_DISCONNECTED": "unresolved",
    "ERR_SSL": "tls",
    "ERR_CERT": "tls",
    "ERR_CONNECTION_RESET": "dropped",
    "ERR_CONNECTION_CLOSED": "dropped",
    "ERR_EMPTY_RESPONSE": "dropped",
    "ERR_TIMED_OUT": "timeout",
    "ERR_ABORTED": "aborted",
    "ERR_BLOCKED_BY_CLIENT": "blocked",
    "ERR_FAILED": "blocked",  # by CORS, as a rule: the page is told no more, and neither are we
}


ADVICE = {
    "ERR_UNSAFE_PORT": "browsers load nothing from this port, which other protocols have: serve the page at "
    "another one, such as 3000",
}


def failure_of(chromium: str) -> str:
    """`net::ERR_CONNECTION_REFUSED` → `refused`; `protocol` where it is none that we know."""
    return next((word for code, word in FAILURES.items() if code in chromium), "protocol")


def with_advice(chromium: str) -> str:
    """Chromium's word on a page that it does not load, and what to do where that is no obvious thing."""
    return chromium + next((f" ({advice})" for code, advice in ADVICE.items() if code in chromium), "")


class PageRequests:
    """Records the requests of one context's pages.

    `on_offer` is told the ufrag of each offer; `requested_at` knows when the page sent a body to a URL.
    """

    def __init__(
        self,
        record: Callable[[Event], None],
        clock: RelativeClock,
        redactor: Redactor,
        on_offer: Callable[[str], None],
        requested_at: Callable[[str], float | None],
    ) -> None:
        self._record = record
        self._clock = clock
        self._redactor = redactor
        self._on_offer = on_offer
        self._requested_at = requested_at
        self._offers: dict[Request, asyncio.Task[None]] = {}  # those under way; each task records one
        self._begun: dict[Request, float] = {}
        self._reading: set[asyncio.Task[None]] = set()
        self._count = 0
        self._ufrag = ""

    def watch(self, context: BrowserContext) -> None:
        """From now on."""
        context.on("request", self._requested)
        context.on("requestfinished", lambda request: self._read(self._finished(request)))
        context.on("requestfailed", lambda request: self._read(self._failed(request)))

    async def finish(self) -> None:
        """Wait for what is being read, and say of an offer without an end that it has none."""
        if self._reading:
            await asyncio.wait(self._reading, timeout=2.0)
        for task in tuple(self._reading):
            task.cancel()
        for _ in self._offers:
            self._record(
                HttpFailed(at=self._clock.now(), failure="timeout", detail="the page was left first")
            )
        self._offers.clear()

    def _read(self, reading: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(reading)
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)
        return task

    def _requested(self, request: Request) -> None:
        self._begun[request] = at = self._clock.now()
        body = (request.post_data_buffer or b"")[:LARGEST_BODY]
        text = body.decode("utf-8", "replace")
        self._look_for_key(request.url, f"request to {_place(request.url)}", at)
        for name, value in request.headers.items():
            self._look_for_key(value, f"request header {name} to {_place(request.url)}", at)
        offer = find_offer(text) if body else None
        if offer is not None:
            self._offers[request] = self._read(self._offered(request, body, text, offer))

    async def _offered(self, request: Request, body: bytes, text: str, offer: str) -> None:
        """Record it at the moment when the page's code sent it, which may be told after the request is."""
        told = self._requested_at(request.url)
        for _ in range(TOLD_POLLS):
            if told is not None:
                break
            await asyncio.sleep(TOLD_SECONDS / TOLD_POLLS)
            told = self._requested_at(request.url)
        at = self._begun[request] = min(told or float("inf"), self._begun.get(request, self._clock.now()))
        ufrag = ufrag_of(offer)
        if not self._ufrag:
            self._ufrag = ufrag
            self._record(OfferCreated(at=at, sdp=self._redactor.text(offer)))
        self._record(
            HttpRequest(
                at=at,
                method=request.method,
                url=self._redactor.text(request.url),
                headers=self._redactor.headers(request.headers.items()),
                body=self._redactor.text(text) if _is_utf8(body) else base64.b64encode(body).decode(),
                body_base64=not _is_utf8(body),
            )
        )
        self._on_offer(ufrag)

    async def _finished(self, request: Request) -> None:
        from playwright.async_api import Error

        if request in self._offers:
            await self._offers[request]
        at = self._ended(request)
        began = self._begun.pop(request, at)
        try:
            response = await request.response()
            if response is None:
                return
            status = response.status
            body = b""
            if request in self._offers or request.resource_type in READ:
                body = (await response.body())[:LARGEST_BODY]
            headers = await response.headers_array() if request in self._offers else []
        except Error:  # the page went away meanwhile, and took the body with it
            self._made(request, None, began, at)
            return
        text = body.decode("utf-8", "replace")
        self._look_for_key(text, f"{request.resource_type} {_place(request.url)}", at)
        if self._offers.pop(request, None) is None:
            self._made(request, status, began, at)
            return
        self._record(
            HttpResponse(
                at=at,
                status=status,
                headers=self._redactor.headers((h["name"], h["value"]) for h in headers),
                body=self._redactor.text(text) if _is_utf8(body) else base64.b64encode(body).decode(),
                body_base64=not _is_utf8(body),
            )
        )

    async def _failed(self, request: Request) -> None:
        at = self._clock.now()
        if request in self._offers:
            await self._offers.pop(request)
            said = request.failure or "no reason given"
            self._record(HttpFailed(at=at, failure=failure_of(said), detail=said))
        else:
            self._made(request, None, self._begun.pop(request, at), at)

    def _made(self, request: Request, status: int | None, began: float, ended: float) -> None:
        self._count += 1
        if self._count <= MOST_REQUESTS:
            self._record(
                RequestMade(
                    at=began,
                    method=request.method,
                    url=self._redactor.text(request.url[:2000]),
                    type=request.resource_type,
                    status=status,
                    took=round(max(0.0, ended - began), 6),
                )
            )

    def _ended(self, request: Request) -> float:
        """When the last byte was there, by the browser's own account: we are told of it later."""
        now = self._clock.now()
        timing = request.timing
        if timing["startTime"] <= 0 or timing["responseEnd"] < 0:
            return now
        wall = (timing["startTime"] + timing["responseEnd"]) / 1000
        at = wall + monotonic_of_wall() - self._clock.origin
        return min(max(at, self._begun.get(request, at)), now)

    def _look_for_key(self, text: str, where: str, at: float) -> None:
        """A secret key that is in the page's hands; an ephemeral one (ek_) is made for it."""
        for found in KEY_PATTERN.finditer(text):
            if found.group().startswith("sk-") and _MIXED.match(found.group()):
                self._record(SecretSeen(at=at, where=f"page: {where}", excerpt=f"sk-{REDACTED}"))
                return


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _place(url: str) -> str:
    """Without a query, which may hold a secret."""
    return url.partition("?")[0][:200]
