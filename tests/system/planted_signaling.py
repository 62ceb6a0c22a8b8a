"""Faults before the answer has been taken, and in it."""

from __future__ import annotations

from tests.system.conversations import configures, connects
from tests.system.planted import fake, relay

PLANTED = [
    # The front door.
    relay("hangs", "signaling.offer-accepted: timeout", connects),
    relay("not-found", "signaling.offer-accepted: not-found", connects),
    relay("method-not-allowed", "signaling.offer-accepted: method-not-allowed", connects),
    relay("unauthorized", "signaling.offer-accepted: unauthorized", connects),
    relay("login-page=page", "signaling.offer-accepted: login-page", connects),
    relay("login-page=redirect", "signaling.offer-accepted: login-page", connects),
    relay("relay-error", "signaling.offer-accepted: relay-error", connects),
    # The upstream says no.
    fake("http-401", "signaling.offer-accepted: upstream-unauthorized", connects),
    fake("http-429", "signaling.offer-accepted: upstream-rate-limited", connects),
    fake("http-400", "signaling.offer-accepted: upstream-offer-rejected", connects),
    fake("http-404", "signaling.session-forwarded: retired-model", connects),
    fake("http-500", "signaling.offer-accepted: upstream-error", connects),
    fake("http-503", "signaling.offer-accepted: upstream-error", connects),
    fake("http-504", "signaling.offer-accepted: upstream-error", connects),
    fake("no-answer", "signaling.offer-accepted: upstream-error", connects),
    fake("connection-dropped", "signaling.offer-accepted: upstream-error", connects),
    # What the relay forwards.
    relay("offer-trimmed", "signaling.offer-forwarded-intact: offer-trimmed", connects),
    relay("offer-line-endings", "signaling.offer-forwarded-intact: offer-line-endings", connects),
    relay("data-section-stripped", "signaling.offer-forwarded-intact: data-section-stripped", connects),
    relay("candidates-stripped", "signaling.offer-forwarded-intact: candidates-stripped", connects),
    relay("offer-mutated", "signaling.offer-forwarded-intact: offer-mutated", connects),
    relay("session-missing", "signaling.session-forwarded: session-missing", connects),
    relay("session-type-missing", "signaling.session-forwarded: session-type-missing", connects),
    relay("beta-shape", "signaling.session-forwarded: beta-shape", connects),
    relay("session-not-json", "signaling.session-forwarded: session-not-json", connects),
    relay("multipart-invalid", "signaling.session-forwarded: multipart-invalid", connects),
    relay("retired-model", "signaling.session-forwarded: retired-model", connects),
    relay("duplicate-call", "signaling.one-call-per-offer: duplicate-call", connects),
    # What the relay makes of the answer.
    relay("answer-mutated", "signaling.answer-returned-intact: answer-mutated", configures),
    relay("bare-line-feeds", "signaling.answer-line-endings: bare-line-feeds", configures),
    relay("no-final-newline", "signaling.answer-line-endings: no-final-newline", configures),
    relay("html-page", "signaling.answer-is-sdp: html-page", connects),
    relay("json-wrapped", "signaling.answer-is-sdp: json-wrapped", connects),
    relay("json-quoted", "signaling.answer-is-sdp: json-wrapped", connects),
    relay("empty-body", "signaling.answer-is-sdp: empty-body", connects),
    relay("failure-hidden", "signaling.answer-is-sdp: not-sdp", connects, fake="http-500"),
    relay(
        "upstream-error-as-sdp", "signaling.answer-is-sdp: upstream-error-as-sdp", connects, fake="http-500"
    ),
    relay("wrong-media-type", "signaling.answer-media-type: wrong-media-type", configures),
    relay("slow-answer=2.5", "signaling.answer-time: slow-answer", configures),
    fake("slow-answer=2.5", "signaling.answer-time: slow-answer", configures),
    # The answer itself.
    fake("answer-bare-line-feeds", "signaling.answer-line-endings: bare-line-feeds", configures),
    fake("answer-no-final-newline", "signaling.answer-line-endings: no-final-newline", configures),
    fake("answer-without-audio-section", "signaling.answer-has-audio: audio-section-missing", connects),
    fake("answer-audio-rejected", "signaling.answer-has-audio: audio-rejected", connects),
    fake("answer-audio-direction", "signaling.answer-has-audio: audio-direction", connects),
    fake("answer-audio-direction=recvonly", "signaling.answer-has-audio: audio-direction", connects),
    fake("answer-without-data-section", "signaling.answer-has-data-channel: data-section-missing", connects),
    fake("answer-data-section-rejected", "signaling.answer-has-data-channel: data-section-rejected", connects),
    fake("answer-sections-swapped", "signaling.answer-mirrors-offer: sections-differ", connects),
    fake("setup-actpass", "signaling.answer-mirrors-offer: setup-not-chosen", connects),
    fake("no-fingerprint", "signaling.answer-mirrors-offer: no-fingerprint", connects),
    fake("answer-without-opus", "signaling.answer-mirrors-offer: no-opus", connects),
    fake("answer-without-candidates", "signaling.answer-has-candidates: no-candidates", connects),
    # Secrets.
    relay("key-exposed=header", "security.key-not-exposed: key-exposed", configures),
]
