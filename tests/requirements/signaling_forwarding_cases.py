"""What provokes each cause in what the relay sends upstream."""

from __future__ import annotations

import json

from harness.core.events import (
    HttpRequest,
)
from tests.requirements.cases import case
from tests.requirements.signaling_building import (
    Events,
    forwarded,
    session_sent,
)
from tests.support.editing import a, changed
from tests.support.timelines import (
    OFFER,
    SENT_SESSION,
    healthy_events,
    signaling,
)

# --- offer-forwarded-intact ---


@case("signaling.offer-forwarded-intact", "offer-trimmed")
def final_newline_trimmed() -> Events:
    return forwarded(str.strip)


@case("signaling.offer-forwarded-intact", "offer-line-endings")
def bare_line_feeds_forwarded() -> Events:
    return forwarded(lambda offer: offer.replace("\r\n", "\n"))


@case("signaling.offer-forwarded-intact", "offer-truncated")
def the_half_of_the_offer() -> Events:
    return forwarded(lambda offer: offer[: len(offer) // 2])


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
def an_empty_line_added() -> Events:
    return forwarded(lambda offer: offer + "\r\n")


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


@case("signaling.session-forwarded", "session-wrapped")
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
