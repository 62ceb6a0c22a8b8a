"""The relay's faults: each must do what its name says, and only that."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from harness.core.errors import UsageError
from harness.core.sdp import parse_sdp
from harness.fakes.bodies import MultipartInvalidError
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.faults import RELAY_FAULTS
from harness.fakes.relay.settings import SESSION_PATH, RelaySettings
from harness.fakes.serving import running
from tests.fakes.relay.test_app import ANSWER, KEY, OFFER, forwarded, offered, relaying

FAILED = httpx.Response(500, json={"error": {"message": "inside of upstream"}})


def test_every_fault_of_the_relay_is_tested_here_or_planted_in_a_call() -> None:
    """A fault without a test may do nothing. Some need a real call: those are planted in one."""
    planted = sorted(Path(__file__).parents[2].glob("system/planted_*.py"))
    gateway = Path(__file__).parents[2] / "system/test_gateway.py"
    tests = "".join(file.read_text() for file in (Path(__file__), gateway, *planted))
    assert [fault.name for fault in RELAY_FAULTS if f'"{fault.name}' not in tests] == []


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("not-found", 404),
        ("method-not-allowed", 405),
        ("unauthorized", 401),
        ("offer-refused", 422),
        ("relay-error=503", 503),
    ],
)
async def test_the_front_door_is_shut(fault: str, status: int) -> None:
    """Nothing goes upstream."""
    async with relaying(fault) as (client, route):
        assert (await offered(client)).status_code == status
        assert not route.called


async def test_a_login_page_stands_in_the_way() -> None:
    """As HTML with 200, or behind a redirect."""
    async with relaying("login-page") as (client, _):
        page = await offered(client)
        assert page.status_code == 200
        assert 'type="password"' in page.text
    async with relaying("login-page=redirect") as (client, _):
        assert (await offered(client)).headers["location"] == "/login"


@pytest.mark.parametrize("fault", ["hangs", "bad-offer-hangs", "failure-hangs"])
async def test_it_hangs_for_as_long_as_asked(fault: str) -> None:
    """Without end by default; a test asks for less."""
    async with relaying(f"{fault}=0.3", upstream=FAILED) as (client, _):
        response = await offered(client, "no offer" if fault == "bad-offer-hangs" else OFFER)
        assert response.status_code >= 400


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("offer-trimmed", OFFER.strip()),
        ("offer-line-endings", OFFER.replace("\r\n", "\n")),
        ("offer-truncated", OFFER[: len(OFFER) // 2]),
        ("candidates-stripped", "".join(x for x in OFFER.splitlines(keepends=True) if "candidate" not in x)),
        ("offer-mutated", OFFER.replace("s=-", "s=relay")),
        ("data-section-stripped", OFFER.split("m=application")[0].replace("BUNDLE 0 1", "BUNDLE 0")),
    ],
)
async def test_the_offer_is_changed_on_its_way(fault: str, expected: str) -> None:
    """In that way and no other."""
    async with relaying(fault) as (client, route):
        await offered(client)
        assert forwarded(route)["sdp"].body.decode() == expected


async def test_the_session_is_missing() -> None:
    """The part is not there at all."""
    async with relaying("session-missing") as (client, route):
        await offered(client)
        assert set(forwarded(route)) == {"sdp"}


def turn_detection_of(session: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = session["audio"]["input"]["turn_detection"]
    return found


@pytest.mark.parametrize(
    ("fault", "judge"),
    [
        ("session-type-missing", lambda s: "type" not in s and "audio" in s),
        ("beta-shape", lambda s: "turn_detection" in s and "audio" not in s),
        ("retired-model=old-model", lambda s: s["model"] == "old-model"),
        ("retiring-model", lambda s: s["model"] == "gpt-realtime"),
        ("text-only-session", lambda s: s["output_modalities"] == ["text"]),
        ("replies-disabled", lambda s: turn_detection_of(s)["create_response"] is False),
        ("replies-disabled", lambda s: turn_detection_of(s)["silence_duration_ms"] == 500),
        ("description-too-long=1025", lambda s: len(s["tools"][0]["description"]) == 1025),
    ],
)
async def test_the_session_is_wrong(fault: str, judge: Any) -> None:
    """JSON all the same."""
    async with relaying(fault) as (client, route):
        await offered(client)
        assert judge(json.loads(forwarded(route)["session"].body))


async def test_the_session_is_not_json() -> None:
    """What a language prints for an object."""
    async with relaying("session-not-json") as (client, route):
        await offered(client)
        assert forwarded(route)["session"].body == b"[object Object]"


async def test_the_multipart_is_invalid() -> None:
    """Its boundary is not the one announced."""
    async with relaying("multipart-invalid") as (client, route):
        await offered(client)
        with pytest.raises(MultipartInvalidError):
            forwarded(route)


async def test_one_offer_makes_several_calls() -> None:
    """As many as the value says."""
    async with relaying("duplicate-call=3") as (client, route):
        assert (await offered(client)).text == ANSWER
        assert route.call_count == 3


@pytest.mark.parametrize(
    ("fault", "text", "media_type"),
    [
        ("answer-mutated", ANSWER.replace("s=answer", "s=relay"), "application/sdp"),
        ("bare-line-feeds", ANSWER.replace("\r\n", "\n"), "application/sdp"),
        ("no-final-newline", ANSWER.rstrip(), "application/sdp"),
        ("answer-empty-line", ANSWER.replace("\r\nm=", "\r\n\r\nm="), "application/sdp"),
        ("empty-body", "", "application/sdp"),
        ("wrong-media-type", ANSWER, "text/html"),
        ("json-quoted", json.dumps(ANSWER), "application/json"),
        ("slow-answer=0.1", ANSWER, "application/sdp"),
    ],
)
async def test_the_answer_is_spoiled(fault: str, text: str, media_type: str) -> None:
    """The status says success."""
    async with relaying(fault) as (client, _):
        response = await offered(client)
        assert (response.status_code, response.text) == (200, text)
        assert response.headers["content-type"].partition(";")[0] == media_type


async def test_a_decoded_body_is_said_to_be_encoded() -> None:
    async with relaying("content-encoding-copied") as (client, _):
        with pytest.raises(httpx.DecodingError):
            await offered(client)


async def test_a_page_of_any_origin_is_let_in() -> None:
    """Whose origin is not configured, and whose preflight a good relay answers without leave."""
    elsewhere = {"origin": "https://elsewhere.invalid"}
    async with relaying(origins=("https://app.test",)) as (client, _):
        refused = await client.options(SESSION_PATH, headers=elsewhere)
        assert "access-control-allow-origin" not in refused.headers
    async with relaying("any-origin", origins=("https://app.test",)) as (client, _):
        allowed = await client.options(SESSION_PATH, headers=elsewhere)
        assert allowed.headers["access-control-allow-origin"] == "https://elsewhere.invalid"


async def test_the_answer_is_not_sdp() -> None:
    """A page, or JSON where the dialect says SDP."""
    async with relaying("html-page") as (client, _):
        assert not parse_sdp((await offered(client)).text).is_sdp
    async with relaying("json-wrapped") as (client, _):
        assert (await offered(client)).json() == {"data": {"answer": ANSWER}}


async def test_a_failure_is_returned_as_the_answer() -> None:
    """Upstream's error body, labelled as SDP."""
    async with relaying("upstream-error-as-sdp", upstream=FAILED) as (client, _):
        response = await offered(client)
        assert (response.status_code, response.headers["content-type"]) == (200, "application/sdp")
        assert "inside of upstream" in response.text


async def test_a_failure_is_hidden() -> None:
    """200 and nothing usable; a bad offer is refused as ever."""
    async with relaying("failure-hidden", upstream=FAILED) as (client, _):
        assert (await offered(client)).json() == {"ok": True}
        assert (await offered(client, "no offer")).status_code == 400


@pytest.mark.parametrize(("fault", "status"), [("bad-offer-accepted", 200), ("bad-offer-crash", 500)])
async def test_a_bad_offer_is_mistreated(fault: str, status: int) -> None:
    """A good one is not."""
    async with relaying(fault) as (client, _):
        assert (await offered(client, "no offer")).status_code == status
        assert (await offered(client)).text == ANSWER


async def test_a_stack_trace_is_shown() -> None:
    """The status stays honest."""
    async with relaying("stack-trace-exposed") as (client, _):
        response = await offered(client, "no offer")
        assert response.status_code == 400
        assert "Traceback (most recent call last)" in response.json()["error"]["trace"]


async def test_the_key_gets_out() -> None:
    """In a header, in the SDP, in an error body."""
    async with relaying("key-exposed") as (client, _):
        assert KEY in str((await offered(client)).headers)
    async with relaying("key-exposed=sdp") as (client, _):
        assert KEY in (await offered(client)).text
    async with relaying("key-exposed=error") as (client, _):
        assert KEY in (await offered(client, "no offer")).text


async def test_an_open_relay_asks_nobody() -> None:
    """With a token configured, and none presented."""
    async with relaying("relay-open", bearer_token="caller-token") as (client, _):
        assert (await offered(client)).text == ANSWER


async def test_a_smuggled_session_gets_through() -> None:
    """Session, model and instructions of the client's choice."""
    smuggled = {"sdp": OFFER, "session": {"tools": [1]}, "model": "m", "instructions": "y"}
    async with relaying("session-injected") as (client, route):
        await client.post(SESSION_PATH, json=smuggled)
        session = json.loads(forwarded(route)["session"].body)
        assert (session["model"], session["instructions"], session["tools"]) == ("m", "y", [1])


async def test_the_preflight_is_not_answered() -> None:
    """Though the origin is configured."""
    async with relaying("cors-preflight-missing", origins=("https://app.test",)) as (client, _):
        response = await client.options(SESSION_PATH, headers={"origin": "https://app.test"})
        assert response.status_code == 405
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        ((), KEY),
        (("call-leaked",), None),
        (("hang-up-with-another-key",), "sk-another-project-of-the-relay"),
    ],
)
async def test_a_caller_that_is_gone_leaves_a_call(*, fault: tuple[str, ...], key: str | None) -> None:
    """The relay hangs up upstream for it, unless it leaks; with its own key, unless it takes another."""
    asked, hung_up_with = asyncio.Event(), []

    async def make_call(request: Request) -> Response:
        await request.body()
        asked.set()
        await gone.wait()
        return Response(ANSWER, 201, {"Location": "/v1/realtime/calls/rtc_1"}, "application/sdp")

    async def hang_up(request: Request) -> Response:
        hung_up_with.append(request.headers["authorization"])
        return Response()

    gone = asyncio.Event()
    calls = "/v1/realtime/calls"
    upstream = Starlette(
        routes=[
            Route(calls, make_call, methods=["POST"]),
            Route(f"{calls}/rtc_1/hangup", hang_up, methods=["POST"]),
        ]
    )
    async with running(upstream) as upstream_url:
        relay = ReferenceRelay(RelaySettings(upstream_url, KEY, faults=fault))
        async with running(relay.app) as relay_url, httpx.AsyncClient(trust_env=False) as client:
            offering = asyncio.create_task(client.post(relay_url + SESSION_PATH, json={"sdp": OFFER}))
            await asked.wait()
            offering.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await offering
            gone.set()
        # The relay is stopped, and with it every exchange has come to its end.
        assert hung_up_with == ([f"Bearer {key}"] if key else [])


@pytest.mark.parametrize(
    ("fault", "ended"), [((), []), (("calls-held",), ["/v1/realtime/calls/rtc_1/hangup"])]
)
async def test_a_relay_that_stops_takes_its_calls_with_it(
    *, fault: tuple[str, ...], ended: list[str]
) -> None:
    """A good one leaves them to their callers."""
    hung_up: list[str] = []

    async def make_call(request: Request) -> Response:
        await request.body()
        return Response(ANSWER, 201, {"Location": "/v1/realtime/calls/rtc_1"}, "application/sdp")

    async def hang_up(request: Request) -> Response:
        hung_up.append(request.url.path)
        return Response()

    calls = "/v1/realtime/calls"
    upstream = Starlette(
        routes=[
            Route(calls, make_call, methods=["POST"]),
            Route(f"{calls}/rtc_1/hangup", hang_up, methods=["POST"]),
        ]
    )
    async with running(upstream) as url:
        relay = ReferenceRelay(RelaySettings(upstream=url, api_key=KEY, faults=fault))
        async with running(relay.app) as base, httpx.AsyncClient(trust_env=False) as client:
            answered = await client.post(f"{base}{SESSION_PATH}", json={"sdp": OFFER})
            assert answered.status_code == 200
            assert hung_up == []
    assert hung_up == ended


async def test_a_page_at_the_door_is_no_answer_that_could_be_spoiled() -> None:
    """Two faults at once: the one at the door comes first."""
    async with relaying("login-page", "json-quoted") as (client, _):
        page = await offered(client)
        assert page.headers["content-type"].startswith("text/html")
        assert page.text.lstrip().startswith("<!doctype html")


def test_a_value_that_a_fault_has_no_answer_for_is_refused_before_anything_is_served() -> None:
    with pytest.raises(UsageError, match="fault answered-in-front cannot take 'foo'") as refused:
        RELAY_FAULTS.parse("answered-in-front=foo")
    assert "redirect, challenge, csrf" in refused.value.remedy
