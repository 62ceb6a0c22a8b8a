"""What provokes each cause in where and as what the relay's request arrived, and in what came of it."""

from __future__ import annotations

import json
from typing import Any

from harness.core.events import (
    AnswerReceived,
    ArrivalsRead,
    ArrivedPart,
    HttpFailed,
    HttpResponse,
    RequestArrived,
)
from tests.requirements.cases import case
from tests.requirements.signaling_building import (
    Events,
    not_connected,
    refused,
    upstream_only,
    upstream_refused,
)
from tests.support.editing import a, changed, without
from tests.support.timelines import ANSWER, OFFER, call_started, ending, signaling

REACHES, ACCEPTED = "signaling.offer-reaches-upstream", "signaling.offer-accepted"
SESSION = "signaling.session-accepted"
READ = ArrivalsRead(at=0.9, base="http://127.0.0.1:8089", requests=1)
FORM = f'--b\r\nContent-Disposition: form-data; name="sdp"\r\n\r\n{OFFER}'


def arrived(url: str = "/v1/realtime/calls", start: str = OFFER, **fields: Any) -> Events:
    """The relay asked so, was refused, and said so."""
    given: dict[str, Any] = {
        "method": "POST",
        "content_type": "application/sdp",
        "status": 400,
        "ufrag": "offerfrag",
    }
    given["tie"] = "ufrag"
    request = RequestArrived(
        at=0.08,
        id="req_1_1",
        side="upstream",
        url=url,
        start=start[:240],
        size=len(start),
        **{**given, **fields},
    )
    return [*refused(502, '{"error": {"code": "bad_gateway"}}'), request, READ]


def part(text: str) -> Events:
    """A form whose part `sdp` reads so."""
    parts = (ArrivedPart(name="sdp", size=len(text), start=text[:240]),)
    form = "multipart/form-data; boundary=b"
    return arrived(start="", content_type=form, parts=parts, ufrag="", tie="time")


@case(REACHES, "retired-endpoint")
def beta_endpoint() -> Events:
    return arrived("/v1/realtime?model=gpt-realtime", code="beta_api_shape_disabled")


@case(REACHES, "retired-endpoint")
def beta_sessions() -> Events:
    return arrived("/v1/realtime/sessions", "{}", content_type="application/json", ufrag="", tie="time")


@case(REACHES, "retired-endpoint")
def a_black_box_passes_it_on() -> Events:
    return refused(400, '{"error": {"code": "beta_api_shape_disabled"}}', mode="black-box")


@case(REACHES, "path-without-v1")
def no_version() -> Events:
    return arrived("/realtime/calls", status=404)


@case(REACHES, "path-without-v1")
def a_black_box_quotes_the_path() -> Events:
    error = json.dumps({"error": {"message": "Invalid URL (POST /realtime/calls)", "code": None}})
    return refused(404, error, mode="black-box")


@case(REACHES, "path-doubled")
def version_twice() -> Events:
    return arrived("/v1/v1/realtime/calls", status=404)


@case(REACHES, "path-unknown")
def typing_error() -> Events:
    return arrived("/v1/realtime/call", status=404)


@case(REACHES, "wrong-method")
def put() -> Events:
    return arrived(method="PUT", status=405)


@case(REACHES, "form-sent-as-text")
def form_without_its_type() -> Events:
    return arrived(start=FORM, content_type="text/plain;charset=UTF-8")


@case(REACHES, "form-urlencoded")
def urlencoded() -> Events:
    return arrived(start=f"sdp={OFFER}", content_type="application/x-www-form-urlencoded")


@case(REACHES, "form-urlencoded")
def a_black_box_is_told_of_its_type() -> Events:
    message = "Unsupported content type: 'application/x-www-form-urlencoded'. This API method only accepts …"
    return refused(400, json.dumps({"error": {"message": message}}), mode="black-box")


@case(REACHES, "object-as-text")
def object_object() -> Events:
    return part("[object Object]")


@case(REACHES, "object-as-text")
def form_data_of_another_library() -> Events:
    return arrived(start="[object FormData]", content_type="text/plain", ufrag="", tie="time")


@case(REACHES, "offer-undefined")
def undefined() -> Events:
    return part("undefined")


@case(REACHES, "offer-undefined")
def none_of_python() -> Events:
    return arrived(start="None", ufrag="", tie="time")


@case(REACHES, "offer-empty")
def empty_part() -> Events:
    return part("")


@case(REACHES, "offer-empty")
def empty_form() -> Events:
    form = "multipart/form-data; boundary=b"
    return arrived(start="--b--\r\n", content_type=form, ufrag="", tie="time")


@case(REACHES, "json-instead-of-sdp")
def json_document() -> Events:
    return arrived(start=json.dumps({"sdp": OFFER}), content_type="application/json")


@case(REACHES, "json-instead-of-sdp")
def json_in_the_form() -> Events:
    return part(json.dumps({"type": "offer", "sdp": OFFER}))


@case(REACHES, "wrong-content-type")
def plain_text() -> Events:
    return arrived(content_type="text/plain")


@case(REACHES, "cached-answer")
def made_for_another() -> Events:
    events = without([call_started(), *signaling(), *ending(1.0)], upstream_only)
    taken = RequestArrived(
        at=0.0,
        before=20.0,
        id="req_1_1",
        side="upstream",
        method="POST",
        url="/v1/realtime/calls",
        ufrag="other",
        tie="answer",
    )
    return [*events, taken, READ]


@case(REACHES, "nothing-arrived")
def answered_by_another_upstream() -> Events:
    return [*without([call_started(), *signaling(), *ending(1.0)], upstream_only), READ]


@case(REACHES, "nothing-arrived")
def refused_by_another_upstream() -> Events:
    return [*refused(401, '{"error": {"message": "Incorrect API key provided: sk-…"}}'), READ]


@case(REACHES, "nothing-arrived")
def no_upstream_at_all() -> Events:
    return [*refused(502, '{"error": "connect ECONNREFUSED 127.0.0.1:9"}'), READ]


# --- what the upstream said of it ---


def said(status: int, code: str, message: str = "", param: str | None = None) -> Events:
    error = {"error": {"code": code, "message": message, "param": param}}
    return upstream_refused(status, json.dumps(error), relayed=502)


@case(ACCEPTED, "upstream-region")
def region() -> Events:
    return said(403, "unsupported_country_region_territory")


@case(ACCEPTED, "upstream-region")
def a_black_box_tells_of_its_region() -> Events:
    return refused(403, "Country, region, or territory not supported", mode="black-box")


@case(ACCEPTED, "upstream-address")
def address() -> Events:
    return said(403, "ip_not_authorized")


@case(SESSION, "model-not-allowed")
def model_of_another_project() -> Events:
    return said(403, "model_not_found", "Project `proj_1` does not have access to model `gpt-realtime-9`")


@case(ACCEPTED, "upstream-permission")
def restricted_key() -> Events:
    return said(
        401, "", "You have insufficient permissions for this operation. Missing scopes: api.model.request"
    )


@case(ACCEPTED, "upstream-voice")
def voice() -> Events:
    message = "Invalid value: 'nova'. Supported values are: 'alloy', 'ash', and 'cedar'."
    return said(400, "invalid_value", message, "session.audio.output.voice")


@case(ACCEPTED, "upstream-session")
def session() -> Events:
    return said(400, "invalid_value", "Supported combinations are: …", "session.output_modalities")


@case(SESSION, "model-not-found")
def key_exchange_is_refused_its_model() -> Events:
    """A relay that mints a key first never comes to the offer."""
    return arrived(
        "/v1/realtime/client_secrets",
        "{}",
        content_type="application/json",
        ufrag="",
        tie="time",
        code="model_not_found",
        status=404,
    )


# --- what the relay made of a call ---


def spoilt(status: int, body: str) -> Events:
    """The upstream made the call; the relay says otherwise."""
    events = [call_started(), *without(signaling(), a(AnswerReceived))]
    return changed(events, a(HttpResponse, side="caller"), status=status, body=body, headers=()) + ending(1.0)


@case(ACCEPTED, "created-taken-for-failure")
def status_200_expected() -> Events:
    return spoilt(502, '{"error": "OpenAI request failed"}')


@case(ACCEPTED, "created-taken-for-failure")
def answer_in_the_details_of_an_error() -> Events:
    return spoilt(201, json.dumps({"error": "OpenAI error 201", "details": ANSWER}))


@case(ACCEPTED, "created-taken-for-failure")
def a_black_box_shows_the_answer_in_its_error() -> Events:
    return refused(500, json.dumps({"error": "unexpected status", "body": ANSWER}), mode="black-box")


@case(ACCEPTED, "upstream-error")
def the_relay_gave_up_before_the_answer_came() -> Events:
    return spoilt(504, '{"error": {"code": "upstream_timeout"}}')


@case(ACCEPTED, "answer-unread")
def read_as_json() -> Events:
    return spoilt(500, "SyntaxError: Unexpected token 'v', \"v=0\" is not valid JSON")


@case(ACCEPTED, "answer-unread")
def crashed_behind_it() -> Events:
    return spoilt(500, "Internal Server Error")


@case(ACCEPTED, "answer-unfinished")
def body_stops() -> Events:
    return changed(not_connected("unfinished"), a(HttpFailed), detail="status 200 came, but no end")
