"""Faults before the answer has been taken, and in it."""

from __future__ import annotations

from harness.core.offer_shapes import MINIMAL
from harness.fakes.relay.settings import ICE_PATH
from tests.system.conversations import (
    asks_as_a_page_does,
    asks_for_ice_servers_openly,
    brings_a_session,
    comes_without_credentials,
    configures,
    connects,
    goes_beyond_bounds,
    is_asked_for_from_elsewhere,
    meets_a_failing_upstream,
    sends_bad_offers,
)
from tests.system.planted import configured, fake, relay

REACHES = "signaling.offer-reaches-upstream"
PAGE_ORIGIN = "https://app.example"

PLANTED = [
    # The front door.
    configured(
        "signaling.offer-accepted: unreachable", connects, target=(("url", "http://127.0.0.1:9/session"),)
    ),
    relay(
        "cors-preflight-missing",
        "signaling.preflight: cors-preflight",
        asks_as_a_page_does,
        target=(("origin", PAGE_ORIGIN),),
    ),
    relay("hangs", "signaling.offer-accepted: timeout", connects),
    relay("not-found", "signaling.offer-accepted: not-found", connects),
    relay("method-not-allowed", "signaling.offer-accepted: method-not-allowed", connects),
    relay("unauthorized", "signaling.offer-accepted: unauthorized", connects),
    relay("offer-refused", "signaling.offer-accepted: offer-refused", connects),
    relay("login-page=page", "signaling.offer-accepted: login-page", connects),
    relay("login-page=redirect", "signaling.offer-accepted: login-page", connects),
    relay("relay-error", "signaling.offer-accepted: relay-error", connects),
    # What stands before the relay.
    *(
        relay(f"answered-in-front={who}", f"signaling.offer-accepted: {cause}", connects)
        for who, cause in {
            "redirect": "redirected",
            "challenge": "guard-challenge",
            "csrf": "csrf-refused",
            "origin": "origin-refused",
            "host": "origin-refused",
            "too-large": "offer-too-large",
            "limiter": "rate-limited",
            "busy": "caller-busy",
            "gave-up": "proxy-gave-up",
            "nobody": "nobody-behind-proxy",
            "tunnel": "nobody-behind-proxy",
        }.items()
    ),
    # The upstream says no.
    fake("http-401", "signaling.offer-accepted: upstream-unauthorized", connects),
    fake("http-429", "signaling.offer-accepted: upstream-rate-limited", connects),
    fake("http-400", "signaling.offer-accepted: upstream-offer-rejected", connects),
    fake("http-403", "signaling.offer-accepted: upstream-region", connects),
    fake("http-403=ip_not_authorized", "signaling.offer-accepted: upstream-address", connects),
    fake("http-403=model_not_found", "signaling.session-accepted: model-not-allowed", connects),
    fake("http-403=missing_scope", "signaling.offer-accepted: upstream-permission", connects),
    fake("http-404", "signaling.session-accepted: model-not-found", connects),
    fake("model-not-allowed", "signaling.session-accepted: model-not-allowed", connects),
    fake("session-too-long", "signaling.session-accepted: string-above-max-length", connects),
    relay("description-too-long", "signaling.session-accepted: string-above-max-length", connects),
    relay("voice-unknown", "signaling.offer-accepted: upstream-voice", connects),
    relay("session-refused", "signaling.offer-accepted: upstream-session", connects),
    fake("http-400-empty", "signaling.offer-accepted: upstream-unexplained", connects),
    fake("http-500", "signaling.offer-accepted: upstream-error", connects),
    fake("http-503", "signaling.offer-accepted: upstream-error", connects),
    fake("http-504", "signaling.offer-accepted: upstream-error", connects),
    fake("no-answer", "signaling.offer-accepted: upstream-error", connects),
    fake("connection-dropped", "signaling.offer-accepted: upstream-error", connects),
    # Where and as what the relay's request arrived.
    relay("retired-endpoint", f"{REACHES}: retired-endpoint", connects),
    relay("retired-endpoint=/v1/realtime/sessions", f"{REACHES}: retired-endpoint", connects),
    relay("path-without-v1", f"{REACHES}: path-without-v1", connects),
    relay("path-doubled", f"{REACHES}: path-doubled", connects),
    relay("path-unknown", f"{REACHES}: path-unknown", connects),
    relay("path-unknown=/foo/v1/realtime/calls", f"{REACHES}: path-unknown", connects),
    relay("wrong-method", f"{REACHES}: wrong-method", connects),
    relay("wrong-method=GET", f"{REACHES}: wrong-method", connects, alone=True),
    relay("form-as-text", f"{REACHES}: form-sent-as-text", connects),
    relay("form-urlencoded", f"{REACHES}: form-urlencoded", connects),
    relay("form-as-object", f"{REACHES}: object-as-text", connects, alone=True),
    relay("offer-as-text=[object Object]", f"{REACHES}: object-as-text", connects, alone=True),
    relay("offer-as-text", f"{REACHES}: offer-undefined", connects, alone=True),
    relay("form-empty", f"{REACHES}: offer-empty", connects, alone=True),
    relay("json-forwarded", f"{REACHES}: json-instead-of-sdp", connects),
    relay("offer-as-plain-text", f"{REACHES}: wrong-content-type", connects),
    relay("answer-of-another", f"{REACHES}: cached-answer", connects),
    relay("upstream-elsewhere", f"{REACHES}: nothing-arrived", connects, alone=True, lasting=True),
    # What the relay makes of OpenAI's success.
    relay("created-refused", "signaling.offer-accepted: created-taken-for-failure", connects),
    relay("created-refused=details", "signaling.offer-accepted: created-taken-for-failure", connects),
    relay("created-refused=passed-on", "signaling.offer-accepted: created-taken-for-failure", connects),
    relay("answer-unread", "signaling.offer-accepted: answer-unread", connects),
    relay("answer-stalls", "signaling.offer-accepted: answer-unfinished", connects),
    # What the relay forwards.
    relay("offer-trimmed", "signaling.offer-forwarded-intact: offer-trimmed", connects),
    relay("offer-line-endings", "signaling.offer-forwarded-intact: offer-line-endings", connects),
    relay("offer-truncated=0.9", "signaling.offer-forwarded-intact: offer-truncated", connects),
    relay("offer-truncated=0.2", "signaling.offer-forwarded-intact: offer-truncated", connects),
    relay("data-section-stripped", "signaling.offer-forwarded-intact: data-section-stripped", connects),
    relay(
        "candidates-stripped",
        "signaling.offer-forwarded-intact: candidates-stripped",
        connects,
        offer=MINIMAL,
    ),
    relay("offer-mutated", "signaling.offer-forwarded-intact: offer-mutated", connects),
    relay("session-missing", "signaling.session-forwarded: session-missing", connects),
    relay("session-type-missing", "signaling.session-forwarded: session-type-missing", connects),
    relay("beta-shape", "signaling.session-forwarded: beta-shape", connects),
    relay("session-not-json", "signaling.session-forwarded: session-not-json", connects),
    relay("session-wrapped", "signaling.session-forwarded: session-wrapped", connects),
    relay("multipart-invalid", "signaling.session-forwarded: multipart-invalid", connects),
    relay("retired-model", "signaling.session-forwarded: retired-model", connects),
    relay("retiring-model", "signaling.model-lasts: model-retiring", connects, on="2027-01-19"),
    relay("retiring-model", "signaling.session-forwarded: retired-model", connects, on="2027-01-20"),
    relay("duplicate-call", "signaling.one-call-per-offer: duplicate-call", connects),
    # What the relay makes of the answer.
    relay("answer-mutated", "signaling.answer-returned-intact: answer-mutated", configures),
    relay("bare-line-feeds", "signaling.answer-line-endings: bare-line-feeds", configures),
    relay("no-final-newline", "signaling.answer-line-endings: no-final-newline", connects),
    relay("answer-empty-line", "signaling.answer-readable: line-unreadable", connects),
    relay("html-page", "signaling.answer-is-sdp: html-page", connects),
    relay("json-wrapped", "signaling.answer-is-sdp: json-wrapped", connects),
    relay("json-quoted", "signaling.answer-is-sdp: json-wrapped", connects),
    relay("empty-body", "signaling.answer-is-sdp: empty-body", connects),
    relay("failure-hidden", "signaling.offer-accepted: upstream-error", connects, fake="http-500"),
    relay("failure-hidden", "signaling.offer-accepted: upstream-unauthorized", connects, fake="http-401"),
    relay("failure-hidden", "signaling.offer-accepted: upstream-rate-limited", connects, fake="http-429"),
    relay("answer-truncated", "signaling.answer-is-sdp: answer-truncated", connects),
    relay("answer-truncated=0.9", "signaling.answer-is-sdp: answer-truncated", connects),
    relay("answer-encoded", "signaling.answer-is-sdp: not-sdp", connects),
    relay("answer-field-missing", "signaling.answer-is-sdp: json-without-sdp", connects),
    relay(
        "upstream-error-as-sdp", "signaling.answer-is-sdp: upstream-error-as-sdp", connects, fake="http-500"
    ),
    relay(
        "upstream-error-as-sdp",
        "signaling.offer-accepted: upstream-error",
        connects,
        fake="connection-dropped",
    ),
    relay("wrong-media-type", "signaling.answer-media-type: wrong-media-type", configures),
    relay("content-encoding-copied", "signaling.offer-accepted: wrong-content-encoding", connects),
    relay("slow-answer=4.5", "signaling.answer-time: slow-answer", configures),
    fake("slow-answer=4.5", "signaling.answer-time: slow-answer", configures),
    # The answer itself.
    fake("answer-bare-line-feeds", "signaling.answer-line-endings: bare-line-feeds", configures),
    fake("answer-no-final-newline", "signaling.answer-line-endings: no-final-newline", connects),
    fake("answer-without-audio-section", "signaling.answer-has-audio: audio-section-missing", connects),
    fake("answer-audio-rejected", "signaling.answer-has-audio: audio-rejected", connects),
    fake("answer-audio-direction", "signaling.answer-has-audio: audio-direction", connects),
    fake("answer-audio-direction=recvonly", "signaling.answer-has-audio: audio-direction", connects),
    fake("answer-without-data-section", "signaling.answer-has-data-channel: data-section-missing", connects),
    fake(
        "answer-data-section-rejected", "signaling.answer-has-data-channel: data-section-rejected", connects
    ),
    fake("answer-sections-swapped", "signaling.answer-mirrors-offer: sections-differ", connects),
    fake("setup-actpass", "signaling.answer-mirrors-offer: setup-not-chosen", connects),
    fake("no-fingerprint", "signaling.answer-mirrors-offer: no-fingerprint", connects),
    fake("no-ice-credentials", "signaling.answer-mirrors-offer: no-ice-credentials", connects),
    fake("answer-without-rtcp-mux", "signaling.answer-mirrors-offer: browser-refuses", connects),
    fake("answer-without-opus", "signaling.answer-mirrors-offer: no-opus", connects),
    fake("answer-without-candidates", "signaling.answer-has-candidates: no-candidates", connects),
    # Offers that nobody can answer, and an upstream that fails.
    relay("bad-offer-accepted", "signaling.bad-offer-refused: bad-offer-accepted", sends_bad_offers),
    relay("bad-offer-crash", "signaling.bad-offer-refused: bad-offer-crash", sends_bad_offers),
    relay("bad-offer-hangs", "signaling.bad-offer-refused: hangs", sends_bad_offers),
    relay("stack-trace-exposed", "signaling.bad-offer-refused: stack-trace-exposed", sends_bad_offers),
    relay("failure-hidden", "signaling.upstream-failure-reported: failure-hidden", meets_a_failing_upstream),
    relay("failure-hangs", "signaling.upstream-failure-reported: hangs", meets_a_failing_upstream),
    relay(
        "upstream-error-as-sdp",
        "signaling.upstream-failure-reported: upstream-error-as-sdp",
        meets_a_failing_upstream,
    ),
    # Secrets.
    relay("key-exposed=header", "security.key-not-exposed: key-exposed", configures),
    relay("key-exposed=error", "security.key-not-exposed: key-exposed", comes_without_credentials),
    relay("relay-open", "security.auth-required: relay-open", comes_without_credentials),
    relay(
        "stack-trace-exposed",
        "security.errors-reveal-nothing: stack-trace-exposed",
        comes_without_credentials,
    ),
    relay(
        "any-origin",
        "security.foreign-origin-refused: foreign-origin-allowed",
        is_asked_for_from_elsewhere,
        target=(("origin", PAGE_ORIGIN), ("bearer", None)),
    ),
    relay(
        "ice-servers-open",
        "security.ice-credentials-guarded: turn-credentials-open",
        asks_for_ice_servers_openly,
        target=(("ice_servers_from", ICE_PATH),),
        alone=True,
    ),
    relay("session-injected", "security.session-not-injectable: session-injected", brings_a_session),
    relay(
        "session-injected",
        "security.session-not-injectable: session-injected",
        brings_a_session,
        target=(("caller_chooses", (("voice", ("marin", "cedar")), ("instructions", True))),),
    ),
    relay(
        "session-injected",
        "security.choices-bounded: choice-unbounded",
        goes_beyond_bounds,
        target=(("caller_chooses", (("instructions", 40),)),),
    ),
]
