"""Who answers in a relay's place is told apart from the relay, by what such things say."""

from __future__ import annotations

import pytest

from harness.core.events import HttpResponse
from harness.requirements import REGISTRY, Verdict, judge
from harness.requirements.in_front import said_in_front
from tests.requirements.signaling_building import refused
from tests.support.timelines import Mode, timeline_of

HTML, TEXT, JSON = (
    ("content-type", "text/html"),
    ("content-type", "text/plain"),
    ("content-type", "application/json"),
)
CASES = [
    (301, "", [("location", "https://relay.example/session")], "redirected"),
    (307, "", [("location", "/session/")], "redirected"),
    (302, "", [("location", "/login?next=/session")], "login-page"),
    (303, "", [("location", "https://accounts.google.com/o/oauth2/v2/auth")], "login-page"),
    (403, "", [("cf-mitigated", "challenge")], "guard-challenge"),
    (429, "", [("x-vercel-mitigated", "challenge")], "guard-challenge"),
    (403, "<html><title>Just a moment...</title></html>", [HTML], "guard-challenge"),
    (200, "<html><title>Just a moment...</title></html>", [HTML], "guard-challenge"),
    (403, "CSRF token missing", [TEXT], "csrf-refused"),
    (419, "", [], "csrf-refused"),
    (403, "Invalid CORS request", [TEXT], "origin-refused"),
    (403, '{"error": "Origin https://x.example is not allowed"}', [JSON], "origin-refused"),
    (400, "Invalid host header", [TEXT], "origin-refused"),
    (403, 'This host ("a.tunnel.example") is not allowed.', [TEXT], "origin-refused"),
    (413, "", [], "offer-too-large"),
    (500, "PayloadTooLargeError: request entity too large", [TEXT], "offer-too-large"),
    (429, '{"error": "exceeds the rate limit"}', [JSON], "rate-limited"),
    (409, '{"error": "call in progress"}', [JSON], "caller-busy"),
    (409, '{"error": "wrong version"}', [JSON], "offer-refused"),
    (504, "<html><h1>504 Gateway Time-out</h1></html>", [HTML], "proxy-gave-up"),
    (504, "FUNCTION_INVOCATION_TIMEOUT", [TEXT], "proxy-gave-up"),
    (502, '{"errorMessage": "Task timed out after 3.00 seconds"}', [JSON], "proxy-gave-up"),
    (524, "error code: 524", [TEXT], "proxy-gave-up"),
    (502, "<html><h1>502 Bad Gateway</h1></html>", [HTML], "nobody-behind-proxy"),
    (503, "no healthy upstream", [TEXT], "nobody-behind-proxy"),
    (404, "ERR_NGROK_3200", [TEXT], "nobody-behind-proxy"),
    (521, "error code: 521", [TEXT], "nobody-behind-proxy"),
    # The relay itself.
    (502, '{"error": "bad gateway"}', [JSON], "relay-error"),
    (503, '{"error": "busy"}', [JSON], "relay-error"),
    (500, "<html>Internal Server Error</html>", [HTML], "relay-error"),
    (404, "Cannot POST /session", [HTML], "not-found"),
    (403, '{"error": "forbidden"}', [JSON], "unauthorized"),
    (400, '{"error": "sdp is missing"}', [JSON], "offer-refused"),
]


@pytest.mark.parametrize("mode", ["black-box", "grey-box"])
@pytest.mark.parametrize(("status", "body", "headers", "cause"), CASES)
def test_each_is_told_by_its_signs(
    status: int, body: str, headers: list[tuple[str, str]], cause: str, mode: Mode
) -> None:
    found = accepted(status, body, *headers, mode=mode)
    assert (found.cause, found.fix != "") == (cause, True), found.explanation


def accepted(status: int, body: str, *headers: tuple[str, str], mode: Mode) -> Verdict:
    timeline = timeline_of(refused(status, body, *headers, mode=mode))
    (verdict,) = judge([timeline], [REGISTRY.get("signaling.offer-accepted")])
    return verdict


def test_a_page_of_the_apps_own_is_no_guard() -> None:
    """It is told by signaling.answer-is-sdp."""
    page = "<!doctype html><title>App</title><script src='/app.js'></script>"
    assert accepted(200, page, HTML, mode="black-box").cause is None


def test_where_a_redirect_leads_is_told() -> None:
    said = accepted(308, "", ("location", "/session/"), mode="black-box").explanation
    assert "status 308 to /session/" in said


@pytest.mark.parametrize(
    ("status", "body", "headers", "words"),
    [
        (403, "CSRF token missing", [TEXT], "the target wants a CSRF token with the request: exempt"),
        (502, "<html><h1>502 Bad Gateway</h1></html>", [HTML], "reached no relay behind it: start the relay"),
        (301, "", [("location", "https://b.example/")], "another address (https://b.example/): give"),
        (302, "", [("location", "/login")], "it leads to /login"),
        (500, '{"error": "no key"}', [JSON], ""),
    ],
)
def test_it_is_said_of_other_requests_too(
    status: int, body: str, headers: list[tuple[str, str]], words: str
) -> None:
    """Of one for a key, or for a WebSocket."""
    said = said_in_front(HttpResponse(at=0.1, status=status, headers=tuple(headers), body=body))
    assert words in said
    assert bool(said) == bool(words)
