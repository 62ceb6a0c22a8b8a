"""POST /v1/realtime/calls: which requests make a call, and what the others are told."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import httpx
import pytest

from harness.core.events import HttpRequest, HttpResponse
from harness.fakes.relay.faults.forwarding import RETIRED_MODEL
from tests.fakes.callers import BEARER, CALLS, KEY, SESSION, Served, new_caller, quick, serving

SDP = "application/sdp"


def error(response: httpx.Response) -> tuple[int, Any, Any]:
    details = response.json()["error"]
    assert set(details) == {"message", "type", "param", "code"}
    return response.status_code, details["code"], details["param"]


@pytest.mark.parametrize("how", ["raw", "typed parts", "parts without types", "no session"])
async def test_offers_come_raw_and_in_forms(served: Served, how: str) -> None:
    """A browser's FormData gives its parts no type, and is accepted, as reported."""
    async with new_caller() as caller:
        request: dict[str, dict[str, Any]] = {
            "raw": {"content": caller.offer, "headers": {**BEARER, "content-type": SDP}},
            "typed parts": {
                "files": {
                    "sdp": (None, caller.offer, SDP),
                    "session": (None, json.dumps(SESSION), "application/json"),
                }
            },
            "parts without types": {
                "files": {"sdp": (None, caller.offer), "session": (None, json.dumps(SESSION))}
            },
            "no session": {"files": {"sdp": (None, caller.offer)}},
        }
        response = await served.post(CALLS, **request[how])
        assert (response.status_code, response.headers["content-type"]) == (201, "text/plain; charset=utf-8")
        assert response.headers["location"].startswith("/v1/realtime/calls/rtc_")
        assert response.headers["access-control-expose-headers"] == "Location, X-Request-Id"
        assert response.headers["x-request-id"].startswith("req_")


async def test_the_answers_media_type_can_be_that_of_sdp() -> None:
    async with serving(quick(answer_media_type=SDP)) as served, new_caller() as caller:
        response = await served.post(CALLS, files={"sdp": (None, caller.offer, SDP)})
        assert (response.status_code, response.headers["content-type"]) == (201, SDP)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (str.strip, "Failed to parse offer: failed to unmarshal SDP: EOF"),
        (lambda _: "", "Failed to parse offer: failed to unmarshal SDP: EOF"),
        (
            lambda _: "hello\r\n",
            "Failed to parse offer: failed to unmarshal SDP: sdp: invalid syntax `hello`",
        ),
        (lambda _: '{"sdp": ""}\n', "Failed to parse offer: failed to unmarshal SDP: sdp: invalid syntax"),
        (lambda o: o.replace("s=-\r\n", ""), "Failed to parse offer: failed to unmarshal SDP"),
        (
            lambda o: o.replace("m=audio", "m=video"),
            "Invalid SDP offer. Please try again with a WHIP-compliant",
        ),
        (lambda o: o.replace("opus", "speex"), "Invalid SDP offer. Please try again with a WHIP-compliant"),
        (lambda o: o.replace("a=ice-pwd", "a=x-pwd"), "Invalid SDP offer."),
        (lambda o: o.replace("a=fingerprint", "a=x-print"), "Invalid SDP offer."),
        (lambda o: o.replace("m=audio ", "m=audio x"), "Failed to parse offer: failed to unmarshal SDP"),
    ],
)
async def test_a_bad_offer_is_named_as_the_real_server_names_it(
    served: Served, spoil: Any, message: str
) -> None:
    """400 invalid_offer; a trimmed final CRLF is the most common of them."""
    async with new_caller() as caller:
        response = await served.post(CALLS, files={"sdp": (None, spoil(caller.offer), SDP)})
        assert error(response) == (400, "invalid_offer", None)
        assert response.json()["error"]["message"].startswith(message)


async def test_bare_line_feeds_are_accepted(served: Served) -> None:
    """The real parser takes them."""
    async with new_caller() as caller:
        offer = caller.offer.replace("\r\n", "\n")
        assert (await served.post(CALLS, files={"sdp": (None, offer, SDP)})).status_code == 201


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, None),
        ({"authorization": "Bearer ek_nonsense"}, "invalid_api_key"),
        ({"authorization": "Basic x"}, None),
    ],
)
async def test_without_a_key_there_is_no_call(served: Served, headers: dict[str, str], code: str) -> None:
    """401; the key is shown by its ends only."""
    async with new_caller() as caller:
        response = await served.post(CALLS, files={"sdp": (None, caller.offer, SDP)}, headers=headers)
        assert error(response) == (401, code, None)
        assert "nonsense" not in response.text


async def test_only_configured_keys_are_accepted_where_there_are_some() -> None:
    """Another one that looks as good is refused."""
    async with serving(quick(api_keys=(KEY,))) as served, new_caller() as caller:
        files = {"sdp": (None, caller.offer, SDP)}
        assert (await served.post(CALLS, files=files)).status_code == 201
        other = {"authorization": f"Bearer {KEY[:-1]}X"}
        assert (await served.post(CALLS, files=files, headers=other)).status_code == 401


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ("[object Object]", (400, "invalid_json", "session")),
        ("7", (400, "invalid_type", "session")),
        ("{}", (400, "missing_required_parameter", "session.type")),
        ('{"type":"realtime","turn_detection":null}', (400, "unknown_parameter", "session.turn_detection")),
        (json.dumps({"type": "realtime", "model": RETIRED_MODEL}), (404, "model_not_found", None)),
    ],
)
async def test_a_bad_session_part_is_refused(served: Served, session: str, expected: Any) -> None:
    """With the code and parameter that session.update would name."""
    async with new_caller() as caller:
        files = {"sdp": (None, caller.offer, SDP), "session": (None, session, "application/json")}
        assert error(await served.post(CALLS, files=files)) == expected


async def test_a_bad_session_part_can_be_dropped_instead() -> None:
    """Unverified which of the two the real one does, so it is a setting: the call lives on defaults."""
    async with serving(quick(refuse_bad_session=False)) as served, new_caller() as caller:
        files = {"sdp": (None, caller.offer, SDP), "session": (None, "{}", "application/json")}
        assert (await served.post(CALLS, files=files)).status_code == 201


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            {"content": b"x", "headers": {"content-type": "text/plain"}},
            (400, "unsupported_content_type", None),
        ),
        ({"json": {"sdp": "v=0"}}, (400, "unsupported_content_type", None)),
        ({"files": {"session": (None, "{}")}}, (400, "missing_required_parameter", "sdp")),
        (
            {"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=y"}},
            (400, None, None),
        ),
        ({"content": b"v" * 1100000, "headers": {"content-type": SDP}}, (413, "request_too_large", None)),
    ],
)
async def test_a_request_that_holds_no_offer_is_refused(
    served: Served, request_: dict[str, Any], expected: Any
) -> None:
    """Each in its own way; a broken form with an empty message, as reported."""
    headers = {**BEARER, **request_.pop("headers", {})}
    response = await served.post(CALLS, headers=headers, **request_)
    assert error(response) == expected


async def test_a_model_in_the_query_is_accepted_unless_strict(served: Served) -> None:
    """Reports contradict each other on this."""
    async with new_caller() as caller, serving(quick(refuse_model_query=True)) as strict:
        request = {"content": caller.offer, "headers": {**BEARER, "content-type": SDP}}
        path = f"{CALLS}?model=gpt-realtime-2.1"
        assert (await served.post(path, **request)).status_code == 201
        assert error(await strict.post(path, **request)) == (400, "unknown_parameter", "model")


async def test_an_attempt_is_recorded_with_what_was_forwarded(served: Served) -> None:
    """Parts with their types and bytes, the key only as a hash."""
    async with new_caller() as caller:
        session = {**SESSION, "instructions": f"The key is {KEY}."}
        await served.post(
            CALLS,
            files={
                "sdp": (None, caller.offer, SDP),
                "session": (None, json.dumps(session), "application/json"),
            },
        )
        [call] = (await served.client.get(f"{served.url}/_fake/calls?ufrag={caller.peer.ufrag}")).json()[
            "calls"
        ]
        assert call["offer_sha256"] == hashlib.sha256(caller.offer.encode()).hexdigest()
        assert call["key_sha256"] == hashlib.sha256(KEY.encode()).hexdigest()
        [record] = served.records
        asked = record.timeline.first(HttpRequest, side="upstream")
        assert asked is not None
        assert [(p.name, p.content_type) for p in asked.parts] == [
            ("sdp", SDP),
            ("session", "application/json"),
        ]
        assert asked.parts[0].body == caller.offer
        answered = record.timeline.first(HttpResponse, side="upstream")
        assert answered is not None
        assert answered.status == 201
        assert KEY not in record.timeline.to_jsonl() + json.dumps(call)
