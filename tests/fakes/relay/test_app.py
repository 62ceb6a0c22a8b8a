"""The reference relay against an upstream that the test controls (respx): what goes in, what comes out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import respx

from harness.core.dialects import DIALECTS, Dialect
from harness.core.errors import UsageError
from harness.fakes.bodies import FormPart, parse_multipart
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.settings import SESSION_PATH, RelaySettings, default_session
from harness.signaling.dialects import unwrap, wrap

UPSTREAM = "http://upstream.test/v1"
KEY = "sk-secret-of-the-relay-0123456789"
OFFER = (
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:abcdefgh\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\n"
    "a=candidate:1 1 udp 1 127.0.0.1 5000 typ host\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\na=sctp-port:5000\r\n"
)
ANSWER = OFFER.replace("s=-", "s=answer")


@asynccontextmanager
async def relaying(
    *faults: str, upstream: httpx.Response | Callable[..., Any] | None = None, **settings: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, respx.Route]]:
    """A client of a relay whose upstream answers as given."""
    relay = ReferenceRelay(RelaySettings(UPSTREAM, KEY, faults=faults, **settings))
    answered = upstream or httpx.Response(
        201, text=ANSWER, headers={"content-type": "application/sdp", "location": "/v1/realtime/calls/rtc_1"}
    )
    with respx.mock(assert_all_called=False) as router:
        route = router.post(url__startswith=f"{UPSTREAM}/realtime/calls")
        if isinstance(answered, httpx.Response):
            route.return_value = answered
        else:
            route.side_effect = answered
        transport = httpx.ASGITransport(relay.app)
        async with (
            relay.app.router.lifespan_context(relay.app),
            httpx.AsyncClient(transport=transport, base_url="http://relay.test") as client,
        ):
            yield client, route


async def offered(client: httpx.AsyncClient, offer: str = OFFER, **more: Any) -> httpx.Response:
    return await client.post(SESSION_PATH, json={"sdp": offer}, **more)


def forwarded(route: respx.Route) -> dict[str, FormPart]:
    request = route.calls.last.request
    parts = parse_multipart(request.content, request.headers["content-type"])
    return {part.name: part for part in parts}


async def test_the_offer_is_forwarded_byte_for_byte_with_the_session_and_the_key() -> None:
    """Two typed parts and a Bearer key, as OpenAI documents it."""
    async with relaying() as (client, route):
        response = await offered(client)
        parts = forwarded(route)
        assert parts["sdp"].body == OFFER.encode()
        assert parts["sdp"].content_type == "application/sdp"
        assert json.loads(parts["session"].body) == default_session()
        assert parts["session"].content_type == "application/json"
        assert route.calls.last.request.headers["authorization"] == f"Bearer {KEY}"
        assert (response.status_code, response.text) == (200, ANSWER)
        assert response.headers["content-type"] == "application/sdp"
        assert KEY not in response.text + str(response.headers)


@pytest.mark.parametrize("how", ["json", "sdp", "form"])
async def test_offers_come_in_three_wrappings(how: str) -> None:
    """Whatever the wrapping, the same bytes go upstream."""
    request: dict[str, dict[str, Any]] = {
        "json": {"json": {"sdp": OFFER, "type": "offer"}},
        "sdp": {"content": OFFER, "headers": {"content-type": "application/sdp"}},
        "form": {"files": {"sdp": (None, OFFER)}},
    }
    async with relaying() as (client, route):
        assert (await client.post(SESSION_PATH, **request[how])).status_code == 200
        assert forwarded(route)["sdp"].body == OFFER.encode()


OWN_SHAPES = [
    Dialect("own", method="PUT", offer="a.b", fields={"session": {"type": "realtime"}}, answer="x.y"),
    Dialect("own", content_type="application/x-www-form-urlencoded", query={"model": "m"}, answer="."),
    Dialect("own", content_type="text/plain", offer="", statuses=(201,)),
]


def asking(dialect: Dialect, **less: Any) -> dict[str, Any]:
    """The request of a page that speaks the dialect, or leaves something out of it."""
    body = wrap(replace(dialect, **less), OFFER)
    return {
        "method": dialect.method,
        "url": SESSION_PATH,
        "params": dict(less.get("query", dialect.query)),
        "content": body.content,
        "headers": {"content-type": body.content_type},
    }


@pytest.mark.parametrize("dialect", [*DIALECTS.values(), *OWN_SHAPES], ids=lambda d: d.shown)
async def test_the_relay_speaks_every_dialect(dialect: Dialect) -> None:
    """The offer goes on byte for byte, and the answer comes where the dialect has it."""
    async with relaying(dialect=dialect) as (client, route):
        response = await client.request(**asking(dialect))
        assert dialect.takes(response.status_code), response.text
        assert forwarded(route)["sdp"].body == OFFER.encode()
        assert unwrap(dialect, response.text) == ANSWER


@pytest.mark.parametrize("dialect", [*DIALECTS.values(), *OWN_SHAPES], ids=lambda d: d.shown)
async def test_the_relay_speaks_no_other_dialect(dialect: Dialect) -> None:
    """What a dialect sends beside the offer is missed, and another method refused."""
    async with relaying(dialect=dialect) as (client, route):
        for part in ("fields", "query"):
            if getattr(dialect, part):
                refused = await client.request(**asking(dialect, **{part: {}}))
                assert refused.status_code == 400
                assert "needs" in refused.json()["error"]["message"]
        other = "POST" if dialect.method == "PUT" else "PUT"
        refused = await client.request(**asking(dialect) | {"method": other})
        assert refused.status_code == 405
        assert dialect.method in refused.headers["allow"].split(", ")
        assert not route.called


async def test_an_answer_as_a_description_says_its_type() -> None:
    dialect = DIALECTS["offer-object"]
    async with relaying(dialect=dialect) as (client, _):
        response = await client.request(**asking(dialect))
        assert response.json() == {"answer": {"sdp": ANSWER, "type": "answer"}}


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"", 400),
        ("application/json", b"not json", 400),
        ("application/json", b"{}", 400),
        ("application/json", b'{"sdp": 7}', 400),
        ("application/json", b'{"sdp": "\\ud800"}', 400),
        ("application/json", b"[" * 20000, 400),
        ("application/sdp", b"", 400),
        ("application/sdp", b"hello", 400),
        ("application/sdp", b"\x00\xff\xfe" * 100, 400),
        ("application/sdp", OFFER.split("m=application")[0].encode(), 400),
        ("application/sdp", OFFER.replace("m=audio 9", "m=video 9").encode(), 400),
        ("application/sdp", b"v=0\r\n" + b"a" * (1 << 20), 413),
        ("multipart/form-data; boundary=x", b"--y\r\n", 400),
        ("text/plain", OFFER.encode(), 415),
    ],
)
async def test_bad_offers_are_refused_before_upstream(content_type: str, body: bytes, status: int) -> None:
    """Each with a 4xx and a JSON body that shows nothing of the inside."""
    async with relaying() as (client, route):
        response = await client.post(SESSION_PATH, content=body, headers={"content-type": content_type})
        assert response.status_code == status
        assert set(response.json()["error"]) == {"code", "message"}
        assert "Traceback" not in response.text
        assert not route.called


OFFER_REFUSED = httpx.Response(400, json={"error": {"code": "invalid_offer", "message": "EOF"}})
GATEWAY = httpx.Response(504, html="<html>Gateway Time-out</html>")


def refusing(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def dropping(request: httpx.Request) -> httpx.Response:
    raise httpx.RemoteProtocolError("dropped", request=request)


async def hanging(request: httpx.Request) -> httpx.Response:
    await asyncio.sleep(60)
    raise AssertionError(request)


@pytest.mark.parametrize(
    ("upstream", "status", "code"),
    [
        (httpx.Response(401, json={"error": {"message": f"bad key {KEY}"}}), 502, "upstream_unauthorized"),
        (httpx.Response(403), 502, "upstream_unauthorized"),
        (httpx.Response(429, headers={"retry-after": "7"}), 503, "upstream_rate_limited"),
        (OFFER_REFUSED, 400, "upstream_offer_rejected"),
        (httpx.Response(404, json={"error": {"code": "model_not_found"}}), 502, "upstream_rejected"),
        (httpx.Response(400, json=[]), 502, "upstream_rejected"),
        (httpx.Response(500), 502, "upstream_failed"),
        (GATEWAY, 502, "upstream_failed"),
        (httpx.Response(200, text="<html>"), 502, "upstream_answer_invalid"),
        (refusing, 502, "upstream_unreachable"),
        (dropping, 502, "upstream_unreachable"),
        (hanging, 504, "upstream_timeout"),
    ],
)
async def test_upstream_failures_become_honest_statuses(upstream: Any, status: int, code: str) -> None:
    """One try, no success, and no word of upstream's own."""
    async with relaying(upstream=upstream, upstream_seconds=0.2 if upstream is hanging else 8) as (
        client,
        route,
    ):
        response = await offered(client)
        assert (response.status_code, response.json()["error"]["code"]) == (status, code)
        assert KEY not in response.text
        assert route.call_count == (0 if upstream is hanging else 1)  # respx counts answered calls
        if status == 503:
            assert response.headers["retry-after"] == "7"


async def test_a_client_cannot_choose_the_session() -> None:
    """Model and instructions belong to the relay's operator."""
    smuggled = {"sdp": OFFER, "session": {"instructions": "x"}, "model": "m", "instructions": "y"}
    async with relaying() as (client, route):
        await client.post(SESSION_PATH, json=smuggled)
        assert json.loads(forwarded(route)["session"].body) == default_session()


async def test_a_relay_with_a_token_lets_only_its_bearers_in() -> None:
    """Anyone else could spend the operator's money."""
    async with relaying(bearer_token="caller-token") as (client, route):
        refused = await offered(client)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        wrong = await offered(client, headers={"authorization": "Bearer wrong"})
        assert wrong.status_code == 401
        assert not route.called
        right = await offered(client, headers={"authorization": "Bearer caller-token"})
        assert right.status_code == 200


async def test_preflights_are_answered_for_known_origins() -> None:
    """A browser asks before it posts JSON across origins."""
    async with relaying(origins=("https://app.test",)) as (client, _):
        known = await client.options(SESSION_PATH, headers={"origin": "https://app.test"})
        assert known.status_code == 204
        assert known.headers["access-control-allow-origin"] == "https://app.test"
        assert "content-type" in known.headers["access-control-allow-headers"]
        unknown = await client.options(SESSION_PATH, headers={"origin": "https://evil.test"})
        assert "access-control-allow-origin" not in unknown.headers
        answered = await offered(client, headers={"origin": "https://app.test"})
        assert answered.headers["access-control-allow-origin"] == "https://app.test"


async def test_other_paths_and_methods_are_refused_in_json() -> None:
    """A relay is one endpoint."""
    async with relaying() as (client, _):
        assert (await client.get(SESSION_PATH)).status_code == 405
        assert (await client.post("/elsewhere")).json()["error"]["code"] == "not_found"
        assert (await client.get("/health")).json()["status"] == "ok"


@pytest.mark.parametrize("url", ["", "upstream.test", "ftp://upstream.test"])
def test_an_upstream_that_is_no_url_is_a_usage_error(url: str) -> None:
    """Said at start, not at the first call."""
    with pytest.raises(UsageError, match="upstream URL"):
        RelaySettings(url, KEY)


def test_a_base_url_without_a_path_means_the_api() -> None:
    """`http://127.0.0.1:8089` and `…/v1` are the same upstream."""
    assert RelaySettings("http://h:1", KEY).calls_url == "http://h:1/v1/realtime/calls"
    assert RelaySettings("http://h:1/v1/", KEY).calls_url == "http://h:1/v1/realtime/calls"
    assert KEY not in repr(RelaySettings("http://h:1", KEY))
