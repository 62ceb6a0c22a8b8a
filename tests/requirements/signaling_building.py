"""Calls whose signaling goes wrong, to be told what exactly."""

from __future__ import annotations

from collections.abc import Callable

from harness.core.events import (
    AnswerReceived,
    Event,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    Part,
)
from tests.support.editing import a, changed, without
from tests.support.timelines import (
    ANSWER,
    OFFER,
    Mode,
    call_started,
    ending,
    healthy_events,
    signaling,
)

Events = list[Event]
TRACEBACK = (
    "Traceback (most recent call last):\n  File \"/app/main.py\", line 12, in offer\nKeyError: 'sdp'\n"
)
NEXT_TRACE = "TypeError: fetch failed\n    at POST (webpack-internal:///(rsc)/./app/route.ts:21:15)\n"
ERROR = '{"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}'


def refused(status: int, body: str = "", *headers: tuple[str, str], mode: Mode = "embedded") -> Events:
    """The relay answers something else than a call; nothing reached the upstream."""
    events = [call_started(mode), *without(signaling(), a(AnswerReceived), upstream_only)]
    response = a(HttpResponse, side="caller")
    return changed(events, response, status=status, body=body, headers=headers) + ending(1.0)


def upstream_only(event: Event) -> bool:
    return event.side == "upstream"


def upstream_refused(status: int, body: str, relayed: int = 502) -> Events:
    """The upstream answers an error, and the relay says so."""
    events = [call_started(), *without(signaling(), a(AnswerReceived))]
    events = changed(events, a(HttpResponse, side="upstream"), status=status, body=body, headers=())
    return changed(events, a(HttpResponse, side="caller"), status=relayed, body="{}", headers=()) + ending(
        1.0
    )


def not_connected(failure: str, at: float = 0.5) -> Events:
    events = [call_started(), *without(signaling(), a(AnswerReceived), a(HttpResponse, side="caller"))]
    events = without(events, upstream_only)
    return [*events, HttpFailed(at=at, failure=failure, detail="as told"), *ending(at + 0.1)]


def forwarded(change: Callable[[str], str]) -> Events:
    """The relay sends on another offer than it got."""

    def parts(given: tuple[Part, ...]) -> tuple[Part, ...]:
        return (Part(name="sdp", body=change(given[0].body)), *given[1:])

    return changed(healthy_events(), a(HttpRequest, side="upstream"), parts=parts)


def session_sent(text: str | None) -> Events:
    """The relay sends this text as its session; None: no such part."""
    parts = [Part(name="sdp", body=OFFER)]
    if text is not None:
        parts.append(Part(name="session", body=text))
    return changed(healthy_events(), a(HttpRequest, side="upstream"), parts=tuple(parts))


def answered(answer: str, *, upstream: str | None = None) -> Events:
    """The caller gets this answer and can do nothing with it; the upstream sent the same, or another."""
    events = [call_started(), *signaling()]
    events = changed(events, a(AnswerReceived), sdp=answer)
    events = changed(events, a(HttpResponse, side="caller"), body=answer)
    events = changed(events, a(HttpResponse, side="upstream"), body=answer if upstream is None else upstream)
    return events + ending(1.0)


def body_returned(
    body: str, kind: str = "application/sdp", *, upstream: tuple[int, str] | None = None
) -> Events:
    """The relay answers 200 with this body, which the dialect takes for the answer."""
    events = changed(answered(body), a(HttpResponse, side="caller"), headers=(("content-type", kind),))
    if upstream is None:
        return changed(events, a(HttpResponse, side="upstream"), body=ANSWER)
    return changed(events, a(HttpResponse, side="upstream"), status=upstream[0], body=upstream[1])


def whole_call_with(answer: str, *, upstream: str = ANSWER) -> Events:
    """A call that goes on in spite of a flawed answer."""
    events = changed(healthy_events(), a(AnswerReceived), sdp=answer)
    events = changed(events, a(HttpResponse, side="caller"), body=answer)
    return changed(events, a(HttpResponse, side="upstream"), body=upstream)


def probe(purpose: str, case_: str, end: HttpResponse | HttpFailed | None) -> Events:
    """One probing request with its end."""
    sent = HttpRequest(at=0.1, method="POST", url="http://127.0.0.1:3000/x", purpose=purpose, case=case_)
    return [call_started(), sent, *([end] if end else []), *ending(31.0)]


def responded(purpose: str, status: int, body: str = "", at: float = 0.2) -> HttpResponse:
    return HttpResponse(at=at, status=status, body=body, purpose=purpose)


def without_lines(text: str, beginning: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(beginning))


def upstream_probe(end: HttpResponse | HttpFailed, status: int = 500, body: str = "oops") -> Events:
    events = [call_started(), *without(signaling(purpose="upstream-failure"), a(HttpResponse, side="caller"))]
    events = changed(events, a(HttpResponse, side="upstream"), status=status, body=body)
    return [*events, end, *ending(31.0)]


def preflight(status: int = 204, *, method: str = "POST", **headers: str) -> Events:
    asked = HttpRequest(
        at=0.01,
        method="OPTIONS",
        url="http://127.0.0.1:3000/x",
        purpose="preflight",
        headers=(
            ("Origin", "https://app.example"),
            ("Access-Control-Request-Method", method),
            ("Access-Control-Request-Headers", "authorization, content-type"),
        ),
    )
    named = tuple((f"access-control-allow-{name}", value) for name, value in headers.items())
    return [
        *healthy_events(),
        asked,
        HttpResponse(at=0.02, status=status, headers=named, purpose="preflight"),
    ]
