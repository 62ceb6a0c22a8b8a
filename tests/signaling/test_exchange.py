import json

import httpx
import pytest
import respx
from pydantic import SecretStr

from harness.config.target import Target
from harness.core import probes
from harness.core.dialects import DIALECTS
from harness.core.events import AnswerReceived, HttpFailed, HttpRequest, HttpResponse, WhipSession
from harness.core.json_paths import put
from harness.signaling.exchange import post_offer
from tests.signaling.conftest import ANSWER, OFFER, URL, Bench, OpenBench


async def exchange(bench: Bench, *, purpose: str = probes.OFFER, case: str = "") -> str | None:
    return await post_offer(bench.sender, bench.target, OFFER, purpose=purpose, case=case)


def answered(dialect: str) -> httpx.Response:
    if place := DIALECTS[dialect].answer:
        return httpx.Response(200, json=put({}, place, ANSWER))
    return httpx.Response(201, text=ANSWER, headers={"Content-Type": "application/sdp"})


@pytest.mark.parametrize("dialect", DIALECTS)
@respx.mock
async def test_every_dialect_brings_the_answer_back_byte_for_byte(
    open_bench: OpenBench, dialect: str
) -> None:
    respx.route(method=DIALECTS[dialect].method, url__startswith=URL).mock(return_value=answered(dialect))
    async with open_bench(Target(URL, dialect=dialect)) as bench:
        assert await exchange(bench) == ANSWER
    kinds = [type(event) for event in bench.timeline if not isinstance(event, WhipSession)]
    assert kinds == [HttpRequest, HttpResponse, AnswerReceived]
    request, answer = bench.timeline.first(HttpRequest), bench.timeline.first(AnswerReceived)
    assert request is not None
    assert answer is not None
    assert answer.sdp == ANSWER
    assert request.body.encode() == respx.calls.last.request.content
    sent = httpx.URL(request.url)
    assert (request.method, request.purpose) == (DIALECTS[dialect].method, "offer")
    assert (str(sent.copy_with(query=None)), dict(sent.params)) == (URL, DIALECTS[dialect].query)


@respx.mock
async def test_headers_bearer_cookies_origin_and_fields_are_sent_and_their_secrets_not_recorded(
    open_bench: OpenBench,
) -> None:
    route = respx.post(URL).mock(return_value=answered("json"))
    target = Target(
        URL,
        headers=(("X-Tenant", "blue"), ("X-Device", SecretStr("device-secret-1"))),
        bearer=SecretStr("bearer-secret-2"),
        cookies=(("sid", SecretStr("cookie-secret-3")), ("lang", SecretStr("spanish"))),
        fields={"chat": 7, "token": SecretStr('field-"secret"-4')},
        origin="https://app.example.com",
    )
    async with open_bench(target) as bench:
        await exchange(bench)
    sent = route.calls.last.request
    assert sent.headers["x-tenant"] == "blue"
    assert sent.headers["x-device"] == "device-secret-1"
    assert sent.headers["authorization"] == "Bearer bearer-secret-2"
    assert sent.headers["cookie"] == "sid=cookie-secret-3; lang=spanish"
    assert sent.headers["origin"] == "https://app.example.com"
    assert json.loads(sent.content) == {"chat": 7, "token": 'field-"secret"-4', "sdp": OFFER}
    recorded = bench.timeline.to_jsonl()
    assert "X-Tenant" in recorded
    assert "Bearer [redacted]" in recorded
    assert "secret" not in recorded
    assert "spanish" not in recorded


@pytest.mark.parametrize("status", [301, 302, 307, 401, 404, 405, 429, 500, 502, 504])
@respx.mock
async def test_a_refusal_is_recorded_and_gives_no_answer(open_bench: OpenBench, status: int) -> None:
    """Also a redirect to a login page, which must be seen as what it is, not followed."""
    elsewhere = respx.route(url="http://127.0.0.1:8000/login").mock(return_value=answered("json"))
    respx.post(URL).mock(return_value=httpx.Response(status, text="no", headers={"Location": "/login"}))
    async with open_bench() as bench:
        assert await exchange(bench) is None
    response = bench.timeline.first(HttpResponse)
    assert response is not None
    assert (response.status, response.body) == (status, "no")
    assert ("Location", "/login") in response.headers
    assert bench.timeline.first(AnswerReceived) is None
    assert not elsewhere.called


@pytest.mark.parametrize(
    ("status", "location", "followed"),
    [
        (307, "/offer/", True),
        (308, "http://127.0.0.1:8000/other", True),
        (301, "/offer/", False),
        (302, "/offer/", False),
        (307, "https://127.0.0.1:8000/offer", False),
        (308, "http://elsewhere.example/offer", False),
        (307, "", False),
    ],
)
@respx.mock
async def test_a_redirect_is_followed_where_a_pages_fetch_keeps_the_offer(
    open_bench: OpenBench, status: int, location: str, followed: bool
) -> None:
    respx.post(URL).mock(return_value=httpx.Response(status, headers={"Location": location}))
    there = respx.post(url__regex=r"/offer/$|/other$|//elsewhere|^https:").mock(return_value=answered("json"))
    async with open_bench() as bench:
        assert (await exchange(bench) is not None) == followed
    assert there.called == followed
    if followed:
        assert there.calls.last.request.content == respx.calls[0].request.content


@pytest.mark.parametrize("body", [b"", b"<html>login</html>", b'{"error": {}}', b"\xff\xfe binary"])
@respx.mock
async def test_a_2xx_body_is_the_answer_whatever_it_holds(open_bench: OpenBench, body: bytes) -> None:
    respx.post(URL).mock(return_value=httpx.Response(200, content=body))
    async with open_bench() as bench:
        assert await exchange(bench) == body.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (httpx.ConnectError("x"), "refused"),
        (httpx.ConnectTimeout("x"), "unanswered"),
        (httpx.ReadTimeout("x"), "timeout"),
        (httpx.RemoteProtocolError("bad status line"), "protocol"),
    ],
)
@respx.mock
async def test_no_response_is_recorded_as_what_it_was_and_not_tried_again(
    open_bench: OpenBench, error: Exception, failure: str
) -> None:
    route = respx.post(URL).mock(side_effect=error)
    async with open_bench() as bench:
        assert await exchange(bench) is None
    failed = bench.timeline.first(HttpFailed)
    assert failed is not None
    assert failed.failure == failure
    assert failed.detail
    assert route.call_count == 1


@respx.mock
async def test_cookies_of_one_call_are_not_sent_by_the_next(open_bench: OpenBench) -> None:
    """Each call is a caller of its own; a session that the relay gave to one is not the other's."""
    answer = answered("json")
    answer.headers["Set-Cookie"] = "session=first; Path=/"
    route = respx.post(URL).mock(return_value=answer)
    async with open_bench() as bench:
        await exchange(bench)
        await exchange(bench)
    assert "cookie" not in route.calls.last.request.headers
    assert ("set-cookie", "[redacted]") in {
        (name.lower(), value) for r in bench.timeline.all(HttpResponse) for name, value in r.headers
    }


@respx.mock
async def test_a_purpose_marks_both_ways_and_only_an_ordinary_offer_has_an_answer_on_record(
    open_bench: OpenBench,
) -> None:
    respx.post(URL).mock(return_value=answered("json"))
    async with open_bench() as bench:
        assert await exchange(bench, purpose="upstream-failure", case="http-500") == ANSWER
    request, response = bench.timeline.first(HttpRequest), bench.timeline.first(HttpResponse)
    assert request is not None
    assert response is not None
    assert (request.purpose, request.case, response.purpose) == (
        "upstream-failure",
        "http-500",
        "upstream-failure",
    )
    assert bench.timeline.first(AnswerReceived) is None


@respx.mock
async def test_without_credentials_nothing_secret_is_sent(open_bench: OpenBench) -> None:
    route = respx.post(URL).mock(return_value=httpx.Response(401))
    target = Target(
        URL,
        headers=(
            ("X-Tenant", "blue"),
            ("X-Api-Key", "plain-but-secret"),
            ("X-Device", SecretStr("secret-1")),
        ),
        bearer=SecretStr("secret-2"),
        cookies=(("sid", SecretStr("secret-3")),),
    )
    async with open_bench(target) as bench:
        await post_offer(bench.sender, target, OFFER, purpose=probes.UNAUTHENTICATED, credentials=False)
    headers = str(route.calls.last.request.headers)
    assert "blue" in headers
    assert "secret" not in headers
