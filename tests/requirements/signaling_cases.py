"""What provokes each cause in signaling."""

from __future__ import annotations

import json
from collections.abc import Callable

from harness.core.events import (
    AnswerReceived,
    AnswerRejected,
    Event,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    Part,
)
from tests.requirements.cases import case
from tests.support.timelines import (
    ANSWER,
    OFFER,
    SENT_SESSION,
    Mode,
    a,
    call_started,
    changed,
    ending,
    healthy_events,
    sdp,
    shifted,
    signaling,
    without,
)

Events = list[Event]
TRACEBACK = (
    "Traceback (most recent call last):\n  File \"/app/main.py\", line 12, in offer\nKeyError: 'sdp'\n"
)
NEXT_TRACE = "TypeError: fetch failed\n    at POST (webpack-internal:///(rsc)/./app/route.ts:21:15)\n"


# --- building ---


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


# --- preflight ---


def preflight(status: int = 204, **headers: str) -> Events:
    asked = HttpRequest(
        at=0.01,
        method="OPTIONS",
        url="http://127.0.0.1:3000/x",
        purpose="preflight",
        headers=(
            ("Origin", "https://app.example"),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "authorization, content-type"),
        ),
    )
    named = tuple((f"access-control-allow-{name}", value) for name, value in headers.items())
    return [
        *healthy_events(),
        asked,
        HttpResponse(at=0.02, status=status, headers=named, purpose="preflight"),
    ]


@case("signaling.preflight", "cors-preflight")
def no_handler_for_options() -> Events:
    return preflight(405)


@case("signaling.preflight", "cors-preflight")
def no_origin_allowed() -> Events:
    return preflight(204)


@case("signaling.preflight", "cors-preflight")
def another_origin_allowed() -> Events:
    return preflight(origin="https://other.example", headers="Authorization, Content-Type")


@case("signaling.preflight", "cors-preflight")
def a_star_does_not_cover_authorization() -> Events:
    return preflight(origin="*", headers="*")


@case("signaling.preflight", "cors-preflight")
def the_preflight_is_dropped() -> Events:
    events = without(preflight(), a(HttpResponse, purpose="preflight"))
    return [*events, HttpFailed(at=0.02, failure="dropped", purpose="preflight")]


# --- offer-forwarded-intact ---


@case("signaling.offer-forwarded-intact", "offer-trimmed")
def final_newline_trimmed() -> Events:
    return forwarded(str.strip)


@case("signaling.offer-forwarded-intact", "offer-line-endings")
def bare_line_feeds_forwarded() -> Events:
    return forwarded(lambda offer: offer.replace("\r\n", "\n"))


@case("signaling.offer-forwarded-intact", "data-section-stripped")
def data_section_stripped() -> Events:
    return forwarded(lambda offer: offer[: offer.index("m=application")])


@case("signaling.offer-forwarded-intact", "candidates-stripped")
def candidates_stripped() -> Events:
    lines = [line for line in OFFER.splitlines(keepends=True) if not line.startswith("a=candidate")]
    return forwarded(lambda _: "".join(lines))


@case("signaling.offer-forwarded-intact", "offer-mutated")
def offer_mutated() -> Events:
    return forwarded(lambda offer: offer.replace("minptime=10", "minptime=20"))


@case("signaling.offer-forwarded-intact", "offer-mutated")
def offer_lines_reordered() -> Events:
    return forwarded(lambda offer: offer.replace("s=-\r\nt=0 0\r\n", "t=0 0\r\ns=-\r\n"))


@case("signaling.offer-forwarded-intact", "offer-mutated")
def offer_lost_in_json() -> Events:
    json_body = json.dumps({"sdp": None, "session": SENT_SESSION})
    request = a(HttpRequest, side="upstream")
    headers = (("content-type", "application/json"),)
    return changed(healthy_events(), request, parts=(), body=json_body, headers=headers)


# --- session-forwarded ---


@case("signaling.session-forwarded", "session-missing")
def no_session_part() -> Events:
    return session_sent(None)


@case("signaling.session-forwarded", "session-missing")
def raw_offer_with_a_secret_key() -> Events:
    headers = (("content-type", "application/sdp"), ("authorization", "Bearer sk-[redacted]"))
    return changed(healthy_events(), a(HttpRequest, side="upstream"), parts=(), body=OFFER, headers=headers)


@case("signaling.session-forwarded", "session-type-missing")
def session_without_type() -> Events:
    return session_sent(json.dumps({"model": "gpt-realtime-2.1"}))


@case("signaling.session-forwarded", "beta-shape")
def session_of_the_retired_beta() -> Events:
    beta = {"type": "realtime", "model": "gpt-realtime-2.1", "voice": "alloy", "turn_detection": None}
    return session_sent(json.dumps(beta))


@case("signaling.session-forwarded", "session-not-json")
def session_printed_by_a_language() -> Events:
    return session_sent("{'type': 'realtime', 'model': None}")


@case("signaling.session-forwarded", "session-not-json")
def session_in_a_wrapper() -> Events:
    return session_sent(json.dumps({"session": SENT_SESSION}))


@case("signaling.session-forwarded", "multipart-invalid")
def boundary_that_is_not_in_the_body() -> Events:
    return changed(healthy_events(), a(HttpRequest, side="upstream"), parts=(), body="--other\r\n…")


@case("signaling.session-forwarded", "multipart-invalid")
def boundary_not_named() -> Events:
    headers = (("content-type", "multipart/form-data"),)
    return changed(healthy_events(), a(HttpRequest, side="upstream"), headers=headers)


@case("signaling.session-forwarded", "retired-model")
def retired_model() -> Events:
    return session_sent(json.dumps({"type": "realtime", "model": "gpt-4o-realtime-preview-2024-10-01"}))


@case("signaling.one-call-per-offer", "duplicate-call")
def retried_after_success() -> Events:
    twice = [e for e in signaling(0.1) if e.side == "upstream"]
    return [*healthy_events(), *twice]


# --- offer-accepted ---


@case("signaling.offer-accepted", "unreachable")
def connection_refused() -> Events:
    return not_connected("refused")


@case("signaling.offer-accepted", "unreachable")
def name_unresolved() -> Events:
    return not_connected("unresolved")


@case("signaling.offer-accepted", "timeout")
def no_response_in_time() -> Events:
    return not_connected("timeout", at=30.0)


@case("signaling.offer-accepted", "not-found")
def no_such_path() -> Events:
    return refused(404, "<h1>404</h1>")


@case("signaling.offer-accepted", "method-not-allowed")
def no_post_here() -> Events:
    return refused(405, "", ("allow", "GET"))


@case("signaling.offer-accepted", "unauthorized")
def token_refused() -> Events:
    return refused(401, '{"error": "no session"}')


@case("signaling.offer-accepted", "unauthorized")
def token_refused_by_a_black_box() -> Events:
    return refused(403, "forbidden", mode="black-box")


@case("signaling.offer-accepted", "login-page")
def redirected_to_log_in() -> Events:
    return refused(307, "", ("location", "/login"))


@case("signaling.offer-accepted", "login-page")
def login_form_with_success() -> Events:
    page = "<!doctype html><title>Sign in</title><form><input type='password'></form>"
    return refused(200, page, ("content-type", "text/html"))


@case("signaling.offer-accepted", "relay-error")
def relay_fails() -> Events:
    return refused(500, "Internal Server Error")


@case("signaling.offer-accepted", "relay-error")
def relay_drops_the_connection() -> Events:
    return not_connected("dropped")


@case("signaling.offer-accepted", "offer-refused")
def relay_wants_another_dialect() -> Events:
    return refused(415, '{"error": "expected application/sdp"}')


@case("signaling.offer-accepted", "upstream-unauthorized")
def upstream_refuses_the_key() -> Events:
    return upstream_refused(401, '{"error": {"code": "invalid_api_key", "message": "Incorrect API key"}}')


@case("signaling.offer-accepted", "upstream-unauthorized")
def a_black_box_tells_of_its_key() -> Events:
    return refused(502, '{"error": {"code": "invalid_api_key"}}', mode="black-box")


@case("signaling.offer-accepted", "upstream-rate-limited")
def upstream_is_out_of_quota() -> Events:
    return upstream_refused(429, '{"error": {"code": "insufficient_quota"}}', relayed=503)


@case("signaling.offer-accepted", "upstream-offer-rejected")
def upstream_cannot_read_the_offer() -> Events:
    return upstream_refused(400, '{"error": {"code": "invalid_offer"}}', relayed=400)


@case("signaling.offer-accepted", "upstream-error")
def upstream_fails() -> Events:
    return upstream_refused(503, "<html>overloaded</html>")


@case("signaling.offer-accepted", "upstream-error")
def upstream_is_silent() -> Events:
    return without(upstream_refused(503, ""), a(HttpResponse, side="upstream"))


@case("signaling.answer-time", "slow-answer")
def the_answer_took_three_seconds() -> Events:
    return shifted(healthy_events(), after=0.065, by=3.0)


# --- answer-is-sdp ---

ERROR = '{"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}'


@case("signaling.answer-is-sdp", "upstream-error-as-sdp")
def error_body_as_the_answer() -> Events:
    return body_returned(ERROR, upstream=(401, ERROR))


@case("signaling.answer-is-sdp", "upstream-error-as-sdp")
def gateway_page_as_the_answer() -> Events:
    page = "<html><body>504 Gateway Time-out</body></html>"
    return body_returned(page, "text/html", upstream=(504, page))


@case("signaling.answer-is-sdp", "html-page")
def page_of_the_app() -> Events:
    return body_returned("<!DOCTYPE html><title>App</title>", "text/html")


@case("signaling.answer-is-sdp", "json-wrapped")
def sdp_in_json() -> Events:
    return body_returned(json.dumps({"sdp": ANSWER}), "application/json")


@case("signaling.answer-is-sdp", "json-wrapped")
def sdp_as_a_json_string() -> Events:
    return body_returned(json.dumps(ANSWER), "application/json")


@case("signaling.answer-is-sdp", "empty-body")
def nothing_in_the_body() -> Events:
    return body_returned(" \n")


@case("signaling.answer-is-sdp", "not-sdp")
def some_text() -> Events:
    return body_returned("ok")


@case("signaling.answer-media-type", "wrong-media-type")
def answer_called_plain_text() -> Events:
    headers = (("content-type", "text/plain; charset=utf-8"),)
    return changed(healthy_events(), a(HttpResponse, side="caller"), headers=headers)


@case("signaling.answer-line-endings", "bare-line-feeds")
def line_feeds_in_the_answer() -> Events:
    return whole_call_with(ANSWER.replace("\r\n", "\n"))


@case("signaling.answer-line-endings", "no-final-newline")
def answer_trimmed_by_the_relay() -> Events:
    return whole_call_with(ANSWER.strip())


@case("signaling.answer-line-endings", "no-final-newline")
def answer_trimmed_by_the_upstream() -> Events:
    return whole_call_with(ANSWER.strip(), upstream=ANSWER.strip())


# --- what the answer contains ---


@case("signaling.answer-has-audio", "audio-section-missing")
def no_audio_section() -> Events:
    return answered(ANSWER[: ANSWER.index("m=audio")] + ANSWER[ANSWER.index("m=application") :])


@case("signaling.answer-has-audio", "audio-rejected")
def audio_port_zero() -> Events:
    return answered(ANSWER.replace("m=audio 9 ", "m=audio 0 "))


@case("signaling.answer-has-audio", "audio-direction")
def audio_one_way() -> Events:
    return answered(ANSWER.replace("a=sendrecv", "a=recvonly"))


@case("signaling.answer-has-data-channel", "data-section-missing")
def no_data_section() -> Events:
    return answered(sdp(ufrag="answerfrag", setup="active", data=False), upstream=ANSWER)


@case("signaling.answer-has-data-channel", "data-section-rejected")
def data_port_zero() -> Events:
    return answered(ANSWER.replace("m=application 9 ", "m=application 0 "))


@case("signaling.answer-mirrors-offer", "sections-differ")
def sections_swapped() -> Events:
    data, audio = ANSWER.index("m=application"), ANSWER.index("m=audio")
    return answered(ANSWER[:audio] + ANSWER[data:] + ANSWER[audio:data])


@case("signaling.answer-mirrors-offer", "sections-differ")
def refused_by_the_peer_for_another_reason() -> Events:
    return [*answered(ANSWER), AnswerRejected(at=0.2, reason="its m= sections do not match")]


@case("signaling.answer-mirrors-offer", "setup-not-chosen")
def setup_left_open() -> Events:
    return answered(ANSWER.replace("a=setup:active", "a=setup:actpass"))


@case("signaling.answer-mirrors-offer", "setup-not-chosen")
def setup_gone() -> Events:
    return answered(ANSWER.replace("a=setup:active\r\n", ""))


@case("signaling.answer-mirrors-offer", "no-fingerprint")
def fingerprint_gone() -> Events:
    return answered(without_lines(ANSWER, "a=fingerprint"))


@case("signaling.answer-mirrors-offer", "no-ice-credentials")
def ice_credentials_gone() -> Events:
    return answered(without_lines(ANSWER, "a=ice-pwd"))


@case("signaling.answer-mirrors-offer", "no-opus")
def another_codec() -> Events:
    return answered(ANSWER.replace("opus/48000/2", "PCMU/8000"))


@case("signaling.answer-has-candidates", "no-candidates")
def candidates_gone() -> Events:
    return answered(without_lines(ANSWER, "a=candidate"))


@case("signaling.answer-returned-intact", "answer-mutated")
def answer_with_a_new_line() -> Events:
    return whole_call_with(ANSWER.replace("a=mid:0\r\n", "a=mid:0\r\na=x-relay:1\r\n"))


def without_lines(text: str, beginning: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(beginning))


# --- upstream-failure-reported ---


def upstream_probe(end: HttpResponse | HttpFailed, status: int = 500, body: str = "oops") -> Events:
    events = [call_started(), *without(signaling(purpose="upstream-failure"), a(HttpResponse, side="caller"))]
    events = changed(events, a(HttpResponse, side="upstream"), status=status, body=body)
    return [*events, end, *ending(31.0)]


@case("signaling.upstream-failure-reported", "upstream-error-as-sdp")
def upstream_error_passed_on_as_success() -> Events:
    return upstream_probe(responded("upstream-failure", 200, ERROR), 401, ERROR)


@case("signaling.upstream-failure-reported", "failure-hidden")
def upstream_failure_called_success() -> Events:
    return upstream_probe(responded("upstream-failure", 200, "ok"))


@case("signaling.upstream-failure-reported", "failure-hidden")
def connection_dropped_on_upstream_failure() -> Events:
    return upstream_probe(HttpFailed(at=0.3, failure="dropped", purpose="upstream-failure"))


@case("signaling.upstream-failure-reported", "hangs")
def no_word_of_an_upstream_failure() -> Events:
    return upstream_probe(HttpFailed(at=30.0, failure="timeout", purpose="upstream-failure"))


# --- bad-offer-refused ---


@case("signaling.bad-offer-refused", "bad-offer-accepted")
def nothing_accepted() -> Events:
    return probe("bad-offer", "empty", responded("bad-offer", 200))


@case("signaling.bad-offer-refused", "bad-offer-crash")
def crash_on_binary() -> Events:
    return probe("bad-offer", "binary", responded("bad-offer", 500, "Internal Server Error"))


@case("signaling.bad-offer-refused", "bad-offer-crash")
def connection_dropped_on_deep_json() -> Events:
    return probe("bad-offer", "deep-json", HttpFailed(at=0.2, failure="dropped", purpose="bad-offer"))


@case("signaling.bad-offer-refused", "hangs")
def no_word_on_a_megabyte() -> Events:
    return probe("bad-offer", "one-megabyte", HttpFailed(at=30.0, failure="timeout", purpose="bad-offer"))


@case("signaling.bad-offer-refused", "stack-trace-exposed")
def traceback_on_text() -> Events:
    return probe("bad-offer", "not-sdp", responded("bad-offer", 500, TRACEBACK))


@case("signaling.bad-offer-refused", "stack-trace-exposed")
def trace_of_a_page_framework() -> Events:
    return probe("bad-offer", "no-audio", responded("bad-offer", 400, NEXT_TRACE))
