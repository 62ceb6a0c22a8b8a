"""What provokes each cause in whether and when the relay answers."""

from __future__ import annotations

from harness.core.events import (
    HttpFailed,
    HttpResponse,
)
from tests.requirements.cases import case
from tests.requirements.signaling_building import (
    ERROR,
    NEXT_TRACE,
    TRACEBACK,
    Events,
    not_connected,
    preflight,
    probe,
    refused,
    responded,
    upstream_probe,
    upstream_refused,
)
from tests.support.editing import a, shifted, without
from tests.support.timelines import (
    healthy_events,
)

# --- preflight ---


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
def the_method_is_not_allowed() -> Events:
    return preflight(method="PUT", origin="https://app.example", headers="Authorization, Content-Type")


@case("signaling.preflight", "cors-preflight")
def the_preflight_is_dropped() -> Events:
    events = without(preflight(), a(HttpResponse, purpose="preflight"))
    return [*events, HttpFailed(at=0.02, failure="dropped", purpose="preflight")]


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


# --- upstream-failure-reported ---


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


@case("signaling.offer-accepted", "wrong-content-encoding")
def a_decoded_body_is_called_gzip() -> Events:
    return not_connected("encoding")


@case("signaling.offer-accepted", "upstream-unexplained")
def the_upstream_says_400_and_no_more() -> Events:
    return upstream_refused(400, '{"error": {"message": "", "type": "", "param": null, "code": null}}')
