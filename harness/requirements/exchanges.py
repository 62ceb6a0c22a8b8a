"""HTTP as the timeline has it: each request with what came of it, and the relay's own request upstream."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from harness.core import redirections
from harness.core.events import Headers, HttpFailed, HttpRequest, HttpResponse, Side
from harness.core.fields import field
from harness.core.probes import UPGRADE
from harness.core.strict_json import json_value
from harness.core.timeline import Timeline
from harness.requirements.model import Evidence

# Where an offer goes upstream: the calls endpoint, GPT-Live's, and the retired beta's.
OFFER_PATHS = re.compile(r"/realtime/calls/?$|/live/sessions/?$|/v1/realtime/?$")

STACK_TRACE = re.compile(
    r"Traceback \(most recent call last\)"  # Python
    r"|^\s*File \"[^\"\n]+\", line \d+"
    r"|^\s*at [\w$.<>\[\] ]*\(?(?:file://|node:|webpack|/|[A-Za-z]:\\)[^\n]*:\d+:\d+\)?"  # JavaScript
    r"|^\s*at [\w$.]+\([\w$]+\.java:\d+\)"  # Java
    r"|goroutine \d+ \[\w+\]:|^panic: "  # Go
    r"|^\s*at .+ in .+:line \d+"  # .NET
    r"|thread '[^']*' panicked at"  # Rust
    r"|PHP (?:Fatal|Parse) error:|Stack trace:\s*\n#0 "  # PHP
    r"|\.rb:\d+:in [`']",  # Ruby
    re.MULTILINE,
)


@dataclass(frozen=True)
class Exchange:
    """A request with its response, or with why there was none; neither where the end never came."""

    request: HttpRequest
    response: HttpResponse | None = None
    failed: HttpFailed | None = None

    @property
    def status(self) -> int | None:
        return self.response.status if self.response else None

    @property
    def succeeded(self) -> bool:
        return self.response is not None and (
            200 <= self.response.status < 300 or self.response.status == 101
        )

    @property
    def body(self) -> str:
        return self.response.body if self.response else ""

    @property
    def ended_at(self) -> float | None:
        end = self.response or self.failed
        return end.at if end else None

    @property
    def seconds(self) -> float | None:
        """From the request to its end."""
        return None if self.ended_at is None else self.ended_at - self.request.at

    def evidence(self) -> tuple[Evidence, ...]:
        """The request and its end, each quoted with its moment."""
        request = self.request
        whose = "the relay sent" if request.side == "upstream" else "we sent"
        case = f" ({request.case})" if request.case else ""
        lines = [Evidence(request.at, f"{whose} {request.method} {request.url}{case}")]
        if self.response is not None:
            kind = header(self.response.headers, "content-type") or "no Content-Type"
            lines.append(
                Evidence(
                    self.response.at,
                    f"{self.response.status}, {kind}, {len(self.response.body)} characters: "
                    f"{excerpt(self.response.body)}",
                )
            )
        elif self.failed is not None:
            lines.append(
                Evidence(self.failed.at, f"{self.failed.failure}: {self.failed.detail}".rstrip(": "))
            )
        return tuple(lines)


def exchanges(timeline: Timeline, purpose: str | None = None, *, side: Side = "caller") -> list[Exchange]:
    """Requests in order with their ends: of one purpose (caller), or of all."""
    found: list[Exchange] = []
    for event in timeline:
        if event.side != side:
            continue
        if isinstance(event, HttpRequest) and purpose in (None, event.purpose):
            found.append(Exchange(event))
        elif isinstance(event, HttpResponse | HttpFailed):
            for index, exchange in enumerate(found):
                if exchange.ended_at is None and exchange.request.purpose == event.purpose:
                    response = event if isinstance(event, HttpResponse) else None
                    failed = event if isinstance(event, HttpFailed) else None
                    found[index] = Exchange(exchange.request, response, failed)
                    break
    return found


def offer_exchange(timeline: Timeline) -> Exchange | None:
    """The caller's ordinary offer, with its end: where it was redirected and we followed, the last."""
    found = exchanges(timeline, "offer")
    followed = [e for e in found[1:] if found[0].status in redirections.KEEPING]
    return followed[-1] if followed else found[0] if found else None


def upstream_offers(timeline: Timeline) -> list[Exchange]:
    """What the relay sent on to make a call, with what upstream answered."""
    return [
        e
        for e in exchanges(timeline, side="upstream")
        if e.request.method == "POST" and OFFER_PATHS.search(urlsplit(e.request.url).path)
    ]


def calls_made(timeline: Timeline) -> list[Exchange]:
    """What the relay sent on to make a call of either kind: an offer, or a request for a WebSocket."""
    opened = exchanges(timeline, UPGRADE, side="upstream")
    return sorted([*upstream_offers(timeline), *opened], key=lambda e: e.request.at)


def call_exchange(timeline: Timeline) -> Exchange | None:
    """The caller's ordinary request for a call, with its end: an offer's, or a WebSocket's."""
    return offer_exchange(timeline) or next(iter(exchanges(timeline, UPGRADE)), None)


def header(headers: Headers, name: str) -> str | None:
    """The first header of a name, whatever its case."""
    return next((value for key, value in headers if key.lower() == name.lower()), None)


def media_type(headers: Headers) -> str:
    """Type and subtype of Content-Type in lower case; empty where there is none."""
    return (header(headers, "content-type") or "").partition(";")[0].strip().lower()


def as_json(text: str) -> Any:
    """The JSON value, or None where it is none."""
    try:
        return json_value(text)
    except ValueError:
        return None


def forwarded_offer(request: HttpRequest) -> str | None:
    """The SDP in a relay's request: of the part `sdp`, of a raw body, or of GPT-Live's JSON."""
    part = next((p.body for p in request.parts if p.name == "sdp"), None)
    if part is not None or request.parts:
        return part
    data = as_json(request.body)
    if isinstance(data, Mapping):
        value = field(data, "transport", "sdp") or data.get("sdp")
        return value if isinstance(value, str) else None
    return None if media_type(request.headers).startswith("multipart/") else request.body


def forwarded_session(request: HttpRequest) -> str | None:
    """The text of the session configuration in a relay's request; None where there is none."""
    part = next((p.body for p in request.parts if p.name == "session"), None)
    if part is not None or request.parts:
        return part
    data = as_json(request.body)
    if isinstance(data, Mapping) and "session" in data:
        return json.dumps(data["session"])
    return None


def error_of(body: str) -> dict[str, Any] | None:
    """OpenAI's error object, `{"error": {"message", "type", "param", "code"}}`, or a relay's like it."""
    error = field(as_json(body), "error")
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, dict) else None


def is_html(response: HttpResponse) -> bool:
    """By its type or its beginning."""
    start = response.body.lstrip()[:200].lower()
    return start.startswith(("<!doctype html", "<html")) or (
        media_type(response.headers) == "text/html" and not start.startswith("v=0")
    )


def stack_trace(text: str) -> str | None:
    """The line with which a stack trace begins, in any of the common languages."""
    found = STACK_TRACE.search(text)
    return excerpt(text[found.start() :].lstrip().partition("\n")[0]) if found else None


def excerpt(text: str, longest: int = 160) -> str:
    """The beginning of a text, quoted on one line."""
    return repr(text if len(text) <= longest else f"{text[:longest]}…")
