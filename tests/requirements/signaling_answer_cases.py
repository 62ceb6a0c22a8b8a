"""What provokes each cause in the answer."""

from __future__ import annotations

import json

from harness.core.events import (
    AnswerRejected,
    HttpResponse,
)
from tests.requirements.cases import case
from tests.requirements.signaling_building import (
    ERROR,
    Events,
    answered,
    body_returned,
    whole_call_with,
    without_lines,
)
from tests.support.editing import a, changed
from tests.support.timelines import (
    ANSWER,
    healthy_events,
    sdp,
)

# --- answer-is-sdp ---


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


@case("signaling.answer-is-sdp", "json-without-sdp")
def the_field_is_undefined() -> Events:
    return body_returned('{"answer": null}', "application/json")


@case("signaling.answer-is-sdp", "json-wrapped")
def sdp_encoded_twice() -> Events:
    return body_returned(json.dumps(json.dumps({"answer": ANSWER})), "application/json")


@case("signaling.answer-readable", "line-unreadable")
def json_behind_the_answer() -> Events:
    return answered(ANSWER + '{"ok": true}')


@case("signaling.answer-is-sdp", "answer-truncated")
def the_half_of_the_answer() -> Events:
    return answered(ANSWER[: len(ANSWER) // 2], upstream=ANSWER)


@case("signaling.offer-accepted", "upstream-unauthorized")
def a_refused_key_hidden_behind_success() -> Events:
    return body_returned('{"answer": null}', "application/json", upstream=(401, ERROR))


@case("signaling.offer-accepted", "upstream-unauthorized")
def a_refused_key_hidden_behind_nothing() -> Events:
    return body_returned("", "text/plain", upstream=(401, ERROR))


@case("signaling.answer-is-sdp", "not-sdp")
def some_text() -> Events:
    return body_returned("ok")


@case("signaling.answer-media-type", "wrong-media-type")
def answer_called_a_page() -> Events:
    headers = (("content-type", "text/html; charset=utf-8"),)
    return changed(healthy_events(), a(HttpResponse, side="caller"), headers=headers)


@case("signaling.answer-line-endings", "bare-line-feeds")
def line_feeds_in_the_answer() -> Events:
    return whole_call_with(ANSWER.replace("\r\n", "\n"))


@case("signaling.answer-line-endings", "no-final-newline")
def answer_trimmed_by_the_relay() -> Events:
    return answered(ANSWER.strip(), upstream=ANSWER)


@case("signaling.answer-line-endings", "no-final-newline")
def answer_trimmed_by_the_upstream() -> Events:
    return answered(ANSWER.strip(), upstream=ANSWER.strip())


@case("signaling.answer-readable", "line-unreadable")
def answer_with_an_empty_line() -> Events:
    return answered(ANSWER.replace("\r\nm=", "\r\n\r\nm="), upstream=ANSWER)


@case("signaling.answer-readable", "line-unreadable")
def answer_with_a_line_of_html_behind_it() -> Events:
    return answered(ANSWER + "<!-- 12 ms -->\r\n", upstream=ANSWER)


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


@case("signaling.answer-mirrors-offer", "browser-refuses")
def refused_by_the_peer_for_another_reason() -> Events:
    return [*answered(ANSWER), AnswerRejected(at=0.2, reason="the audio section has no a=rtcp-mux")]


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
