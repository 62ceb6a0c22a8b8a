import json

import httpx
import pytest
import respx
from pydantic import SecretStr

from harness.config.target import Target
from harness.core.dialects import DIALECTS
from harness.core.events import HttpRequest, HttpResponse
from harness.core.probes import BAD_OFFER, BAD_OFFERS, INJECTION, PREFLIGHT, UNAUTHENTICATED
from harness.core.sdp import parse_sdp
from harness.signaling.probes import (
    MEGABYTE,
    bad_offers,
    offer_with_session,
    offer_without_credentials,
    send_bad_offers,
    send_preflight,
    without_section,
)
from tests.signaling.conftest import ANSWER, OFFER, URL, OpenBench


@respx.mock
async def test_a_preflight_asks_as_a_browser_would_and_carries_no_credentials(open_bench: OpenBench) -> None:
    route = respx.options(URL).mock(return_value=httpx.Response(204))
    target = Target(
        URL,
        origin="https://app.example.com",
        bearer=SecretStr("secret-1"),
        headers=(("X-Tenant", "blue"),),
        cookies=(("sid", SecretStr("secret-2")),),
    )
    async with open_bench(target) as bench:
        reply = await send_preflight(bench.sender, target)
    assert reply is not None
    headers = route.calls.last.request.headers
    assert headers["origin"] == "https://app.example.com"
    assert headers["access-control-request-method"] == "POST"
    assert headers["access-control-request-headers"] == "authorization,content-type,x-tenant"
    assert "authorization" not in headers
    assert "cookie" not in headers
    assert [e.purpose for e in bench.timeline.all(HttpRequest)] == [PREFLIGHT]


@pytest.mark.parametrize("dialect", DIALECTS)
@respx.mock
async def test_every_bad_offer_is_sent_once_and_marked_with_its_case(
    open_bench: OpenBench, dialect: str
) -> None:
    respx.route(url__startswith=URL).mock(return_value=httpx.Response(400))
    async with open_bench(Target(URL, dialect=dialect)) as bench:
        await send_bad_offers(bench.sender, bench.target, OFFER, seed=1)
    assert tuple(e.case for e in bench.timeline.all(HttpRequest)) == BAD_OFFERS
    assert {e.purpose for e in bench.timeline.all(HttpResponse)} == {BAD_OFFER}


def test_each_bad_offer_is_bad_in_its_own_way() -> None:
    bodies = dict(bad_offers(Target(URL), OFFER, seed=1))
    assert tuple(bodies) == BAD_OFFERS
    assert bodies["empty"].content == b""
    assert "sdp" not in json.loads(bodies["json-without-sdp"].content)
    assert parse_sdp(json.loads(bodies["no-audio"].content)["sdp"]).section("audio") is None
    assert parse_sdp(json.loads(bodies["no-data-channel"].content)["sdp"]).section("application") is None
    assert len(bodies["one-megabyte"].content) > MEGABYTE
    assert parse_sdp(json.loads(bodies["one-megabyte"].content)["sdp"]).is_sdp
    assert bodies["wrong-media-type"].content_type == "image/png"
    assert not parse_sdp(json.loads(bodies["not-sdp"].content)["sdp"]).is_sdp
    with pytest.raises(RecursionError):
        json.loads(bodies["deep-json"].content)
    with pytest.raises(UnicodeDecodeError):
        bodies["binary"].content.decode()


def test_binary_follows_its_seed() -> None:
    first, same, other = (dict(bad_offers(Target(URL), OFFER, seed=seed)) for seed in (1, 1, 2))
    assert first == same
    assert first["binary"] != other["binary"]


def test_a_section_is_taken_out_with_its_place_in_the_bundle() -> None:
    left = parse_sdp(without_section(OFFER, "audio"))
    assert [section.kind for section in left.sections] == ["application"]
    assert left.bundle == ("1",)
    assert left.is_sdp
    assert left.ends_with_newline
    assert without_section(OFFER, "video") == OFFER


@respx.mock
async def test_an_offer_from_nobody_is_marked_as_such(open_bench: OpenBench) -> None:
    route = respx.post(URL).mock(return_value=httpx.Response(200, text=ANSWER))
    target = Target(URL, bearer=SecretStr("secret-1"))
    async with open_bench(target) as bench:
        assert await offer_without_credentials(bench.sender, target, OFFER) == ANSWER
    assert "authorization" not in route.calls.last.request.headers
    assert [e.purpose for e in bench.timeline.all(HttpRequest)] == [UNAUTHENTICATED]


@pytest.mark.parametrize("dialect", DIALECTS)
@respx.mock
async def test_a_smuggled_session_is_marked_in_every_value(open_bench: OpenBench, dialect: str) -> None:
    route = respx.route(url__startswith=URL).mock(return_value=httpx.Response(200, text=ANSWER))
    target = Target(URL + "?room=7", dialect=dialect)
    async with open_bench(target) as bench:
        await offer_with_session(bench.sender, target, OFFER, marker="mark-42")
    sent = route.calls.last.request
    own = dict(DIALECTS[dialect].query)
    assert dict(sent.url.params) == own | {"room": "7", "model": "mark-42", "instructions": "mark-42"}
    assert sent.content.count(b"mark-42") == (4 if DIALECTS[dialect].has_fields else 0)
    request = bench.timeline.first(HttpRequest)
    assert request is not None
    assert (request.purpose, request.case) == (INJECTION, "mark-42")
