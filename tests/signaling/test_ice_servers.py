from __future__ import annotations

import json

import httpx
import pytest
import respx
from pydantic import SecretStr

from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.errors import HarnessError, TargetUnreachableError
from harness.signaling.ice_servers import with_ice_servers
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
        return await with_ice_servers(target, client, Timeouts())


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
