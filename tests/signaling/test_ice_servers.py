from __future__ import annotations

import asyncio
import json

import httpx
import pytest
import respx
from pydantic import SecretStr

from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.clock import ManualClock, unix_time
from harness.core.errors import HarnessError, TargetUnreachableError
from harness.signaling.ice_servers import IceSource
from harness.signaling.sending import new_client

URL = "https://staging.example.com/api/voice/session"
SERVERS = [
    {"urls": "stun:stun.example.com"},
    {
        "urls": ["turn:turn.example.com", "turns:turn.example.com:443"],
        "username": "me",
        "credential": "turn-secret",
    },
]


def target(servers_from: str, **more: object) -> Target:
    return Target(URL, bearer=SecretStr("bearer-secret"), ice_servers_from=servers_from, **more)  # type: ignore[arg-type]  # whatever a test wants


async def fetched(target: Target) -> Target:
    async with new_client(target, Timeouts()) as client:
        return await IceSource(target, client, Timeouts()).given(target)


async def test_servers_are_fetched_from_the_target_with_its_credentials(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.get("https://staging.example.com/api/ice").respond(json=SERVERS)
    found = await fetched(target("/api/ice"))
    assert [server.urls for server in found.ice_servers] == [
        ("stun:stun.example.com",),
        ("turn:turn.example.com", "turns:turn.example.com:443"),
    ]
    assert route.calls.last.request.headers["authorization"] == "Bearer bearer-secret"
    assert found.redactor().text("credential turn-secret") == "credential [redacted]"


@pytest.mark.parametrize("wrapped", [{"iceServers": SERVERS}, {"ice_servers": SERVERS, "ttl": 3600}])
async def test_a_provider_s_wrapping_is_taken_off(respx_mock: respx.MockRouter, wrapped: object) -> None:
    respx_mock.get("https://staging.example.com/ice").respond(json=wrapped)
    assert len((await fetched(target("/ice"))).ice_servers) == 2


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://turn.example.net/ice",
        "http://staging.example.com/ice",
        "https://staging.example.com:8443/ice",
    ],
)
async def test_credentials_are_for_the_target_s_own_origin(
    respx_mock: respx.MockRouter, elsewhere: str
) -> None:
    route = respx_mock.get(elsewhere).respond(json=SERVERS)
    await fetched(target(elsewhere))
    assert "authorization" not in route.calls.last.request.headers


TURN = "turn:turn.example.com?transport=udp"
# As each provider answers, with what is in it renamed.
ANSWERS = {
    "Twilio": {
        "username": "u",
        "password": "p",
        "ttl": "86400",
        "ice_servers": [
            {"url": "stun:turn.example.com", "urls": "stun:turn.example.com"},
            {"url": TURN, "urls": TURN, "username": "u", "credential": "p"},
        ],
    },
    "Metered": [{"urls": "stun:turn.example.com:80"}, {"urls": TURN, "username": "u", "credential": "p"}],
    "Cloudflare": {
        "iceServers": {"urls": ["stun:turn.example.com", TURN], "username": "u", "credential": "p"}
    },
    "coturn": {"username": "u", "password": "p", "ttl": 86400, "uris": [TURN]},
    "Xirsys": {"v": {"iceServers": {"urls": [TURN], "username": "u", "credential": "p"}}, "s": "ok"},
    "a page": {"data": {"iceServers": [{"url": TURN, "username": "u", "credential": "p"}], "ttl": 60}},
}


@pytest.mark.parametrize("provider", ANSWERS)
@pytest.mark.parametrize("status", [200, 201])
async def test_every_provider_s_answer_is_read(
    respx_mock: respx.MockRouter, provider: str, status: int
) -> None:
    respx_mock.get("https://staging.example.com/ice").respond(status, json=ANSWERS[provider])
    servers = (await fetched(target("/ice"))).ice_servers
    (relaying,) = [server for server in servers if server.relays]
    assert TURN in relaying.urls
    assert (relaying.username, relaying.credential.get_secret_value()) == ("u", "p")


async def test_an_endpoint_that_takes_a_post_is_posted_to(respx_mock: respx.MockRouter) -> None:
    respx_mock.get("https://staging.example.com/ice").respond(405)
    respx_mock.post("https://staging.example.com/ice").respond(201, json=SERVERS)
    assert len((await fetched(target("/ice"))).ice_servers) == 2


@pytest.mark.parametrize(("ttl", "lasts"), [(3600, 3540), ("600", 540), ("90s", 45), (20, 10)])
async def test_servers_are_fetched_anew_before_they_expire(
    respx_mock: respx.MockRouter, ttl: object, lasts: float
) -> None:
    route = respx_mock.get("https://staging.example.com/ice")
    route.mock(side_effect=lambda _: httpx.Response(200, json={"iceServers": SERVERS, "ttl": ttl}))
    given, clock = target("/ice"), ManualClock()
    async with new_client(given, Timeouts()) as client:
        source = IceSource(given, client, Timeouts(), clock)
        now = await source.given(given)
        clock.advance(lasts - 1)
        assert await source.given(now) is now
        assert route.call_count == 1
        clock.advance(1)
        await asyncio.gather(*(source.given(now) for _ in range(5)))
        assert route.call_count == 2


async def test_a_username_of_coturn_s_says_when_it_expires(respx_mock: respx.MockRouter) -> None:
    servers = [{"urls": TURN, "username": f"{unix_time() + 1000}:page", "credential": "p"}]
    route = respx_mock.get("https://staging.example.com/ice").respond(json=servers)
    given, clock = target("/ice"), ManualClock()
    async with new_client(given, Timeouts()) as client:
        source = IceSource(given, client, Timeouts(), clock)
        await source.given(given)
        clock.advance(900)
        await source.given(given)
        assert route.call_count == 1
        clock.advance(100)
        await source.given(given)
        assert route.call_count == 2


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"iceServers": SERVERS, "ttl": "soon"}, "a ttl that is no number"),
        ({"iceServers": SERVERS, "ttl": True}, "a ttl that is no number"),
        ({"iceServers": SERVERS, "ttl": 0}, "expired 0 s ago"),
        ([{"urls": TURN, "username": "1700000000:page", "credential": "p"}], "expired [0-9]+ s ago"),
    ],
)
async def test_a_lifetime_that_is_none_is_named(
    respx_mock: respx.MockRouter, answer: object, says: str
) -> None:
    respx_mock.get("https://staging.example.com/ice").respond(json=answer)
    with pytest.raises(HarnessError, match=says):
        await fetched(target("/ice"))


async def test_without_such_an_endpoint_nothing_is_fetched(respx_mock: respx.MockRouter) -> None:
    plain = target("")
    assert await fetched(plain) is plain


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (httpx.Response(401), "it answered 401"),
        (httpx.Response(302, headers={"location": "/login"}), "it answered 302"),
        (httpx.Response(200, text="<html>"), "is no JSON"),
        (httpx.Response(200, json={"servers": []}), "server 1 has no urls"),
        (httpx.Response(200, json=[{"urls": "turn:turn.example.com"}]), "has no username or credential"),
        (httpx.Response(200, text="[" * 100_000), "the body has over"),
    ],
    ids=["401", "redirect", "no JSON", "no list", "no credential", "too large"],
)
async def test_what_is_no_list_of_servers_is_named(
    respx_mock: respx.MockRouter, reply: httpx.Response, says: str
) -> None:
    respx_mock.get("https://staging.example.com/ice").mock(return_value=reply)
    with pytest.raises(HarnessError, match=says):
        await fetched(target("/ice?api_key=query-secret"))


async def test_nobody_there_is_an_unreachable_target_and_no_secret_of_the_url_is_shown(
    respx_mock: respx.MockRouter,
) -> None:
    respx_mock.get("https://staging.example.com/ice").mock(side_effect=httpx.ConnectError("refused"))
    with pytest.raises(TargetUnreachableError, match="no ICE servers could be fetched") as failed:
        await fetched(target("/ice?api_key=query-secret"))
    assert "query-secret" not in str(failed.value)


async def test_a_relay_only_run_wants_a_turn_server_among_those_fetched(respx_mock: respx.MockRouter) -> None:
    respx_mock.get("https://staging.example.com/ice").respond(text=json.dumps(SERVERS[:1]))
    with pytest.raises(HarnessError, match="needs a TURN server"):
        await fetched(target("/ice", relay_only=True))
