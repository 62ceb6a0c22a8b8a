from __future__ import annotations

import pytest

from harness.core.events import Event, HttpFailed, HttpRequest, HttpResponse, Part
from harness.requirements.exchanges import (
    exchanges,
    forwarded_offer,
    forwarded_session,
    is_html,
    offer_exchange,
    stack_trace,
    upstream_offers,
)
from tests.support.timelines import OFFER, healthy_call, timeline_of

FORM = (("Content-Type", "multipart/form-data; boundary=b"),)


def sent(at: float, purpose: str = "offer", case: str = "") -> HttpRequest:
    return HttpRequest(at=at, method="POST", url="http://127.0.0.1/x", purpose=purpose, case=case)


def test_a_request_is_paired_with_its_response() -> None:
    found = offer_exchange(healthy_call())
    assert found is not None
    assert (found.status, found.succeeded) == (200, True)
    assert found.seconds == pytest.approx(0.09)


def test_probes_of_one_purpose_are_paired_in_order() -> None:
    events: list[Event] = [
        sent(1.0, "bad-offer", case="empty"),
        HttpResponse(at=1.1, status=400, purpose="bad-offer"),
        sent(2.0, "bad-offer", case="binary"),
        HttpFailed(at=2.1, failure="dropped", purpose="bad-offer"),
        sent(3.0, "bad-offer", case="deep-json"),
    ]
    ends = [
        (e.request.case, e.status, e.failed is not None) for e in exchanges(timeline_of(events), "bad-offer")
    ]
    assert ends == [("empty", 400, False), ("binary", None, True), ("deep-json", None, False)]


def test_purposes_side_by_side_are_not_mixed_up() -> None:
    events: list[Event] = [
        sent(1.0, "preflight"),
        sent(1.1),
        HttpResponse(at=1.2, status=201),
        HttpResponse(at=1.3, status=204, purpose="preflight"),
    ]
    assert [(e.request.purpose, e.status) for e in exchanges(timeline_of(events))] == [
        ("preflight", 204),
        ("offer", 201),
    ]


@pytest.mark.parametrize(
    "path", ["/v1/realtime/calls", "/v1/realtime/calls?model=x", "/v1/live/sessions", "/v1/realtime"]
)
def test_every_way_to_make_a_call_upstream_is_known(path: str) -> None:
    request = HttpRequest(at=1.0, side="upstream", method="POST", url=f"http://127.0.0.1:1{path}")
    assert len(upstream_offers(timeline_of([request]))) == 1


@pytest.mark.parametrize("path", ["/v1/realtime/calls/rtc_1/hangup", "/v1/realtime/client_secrets"])
def test_other_requests_upstream_are_no_offers(path: str) -> None:
    request = HttpRequest(at=1.0, side="upstream", method="POST", url=f"http://127.0.0.1:1{path}")
    assert upstream_offers(timeline_of([request])) == []


def upstream(
    body: str = "", parts: tuple[Part, ...] = (), headers: tuple[tuple[str, str], ...] = ()
) -> HttpRequest:
    return HttpRequest(
        at=1.0, side="upstream", method="POST", url="http://x/", body=body, parts=parts, headers=headers
    )


def test_the_offer_is_found_in_a_form_in_raw_sdp_and_in_json() -> None:
    form = (Part(name="sdp", body=OFFER), Part(name="session", body="{}"))
    live = '{"session": {"type": "realtime"}, "transport": {"type": "webrtc", "sdp": "v=0"}}'
    assert forwarded_offer(upstream(parts=form, headers=FORM)) == OFFER
    assert forwarded_offer(upstream(OFFER)) == OFFER
    assert forwarded_offer(upstream(live)) == "v=0"
    assert forwarded_offer(upstream("--b\r\n", headers=FORM)) is None
    assert forwarded_offer(upstream('{"sdp": 3}')) is None


def test_the_session_is_found_in_a_form_and_in_json() -> None:
    assert forwarded_session(upstream(parts=(Part(name="session", body="{}"),))) == "{}"
    assert forwarded_session(upstream('{"session": {"type": "realtime"}}')) == '{"type": "realtime"}'
    assert forwarded_session(upstream(OFFER)) is None


TRACES = [
    'Traceback (most recent call last):\n  File "/app/x.py", line 3, in f\nKeyError',
    "TypeError: x\n    at handler (/app/server.js:10:5)",
    "Error: y\n    at async POST (webpack-internal:///(rsc)/./app/api/route.ts:21:15)",
    "    at file:///srv/app/index.mjs:3:9",
    "java.lang.IllegalStateException\n\tat com.example.Relay.offer(Relay.java:42)",
    "panic: runtime error\n\ngoroutine 1 [running]:\nmain.main()",
    "System.Exception: x\n   at Relay.Offer() in /src/Relay.cs:line 12",
    "thread 'main' panicked at src/main.rs:3:5",
    "PHP Fatal error:  Uncaught Exception in /srv/x.php:3\nStack trace:\n#0 {main}",
    "app.rb:12:in `offer'",
]


@pytest.mark.parametrize("text", TRACES)
def test_a_stack_trace_is_known_in_any_common_language(text: str) -> None:
    assert stack_trace(text) is not None
    assert stack_trace(f'{{"error": "x"}}\n{text}') is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"error": {"code": "invalid_offer", "message": "the offer has no audio section"}}',
        "look at the documentation (see /docs/errors:1)",
        "<html><body><h1>504 Gateway Time-out</h1></body></html>",
        OFFER,
    ],
)
def test_an_ordinary_error_is_no_stack_trace(text: str) -> None:
    assert stack_trace(text) is None


def test_html_is_known_by_its_type_or_its_beginning() -> None:
    def page(body: str, kind: str = "") -> HttpResponse:
        return HttpResponse(at=0, status=200, body=body, headers=(("Content-Type", kind),))

    assert is_html(page("\n<!DOCTYPE html><p>"))
    assert is_html(page("Gateway Time-out", "text/html; charset=utf-8"))
    assert not is_html(page(OFFER, "text/html"))
    assert not is_html(page("plain", "text/plain"))
