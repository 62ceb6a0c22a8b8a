"""WHIP sessions: where a Location leads, what is sent there, and that nothing stays open."""

from __future__ import annotations

import httpx
import pytest
import respx
from pydantic import SecretStr

from harness.config.target import Target
from harness.core.dialects import DIALECTS, Dialect
from harness.core.errors import UsageError
from harness.core.events import HttpRequest, HttpResponse, WhipSession
from harness.core.probes import BAD_OFFER, WHIP_END
from harness.core.stages import stages
from harness.requirements.exchanges import offer_exchange
from harness.signaling.exchange import post_offer
from harness.signaling.probes import send_bad_offers
from harness.signaling.sending import HttpReply
from harness.signaling.sessions import bits_to_guess, end_sessions, fragment, located, redirected
from tests.signaling.conftest import ANSWER, OFFER, OpenBench

URL = "https://relay.example.com/api/voice/whip"
SESSION = f"{URL}/Zb0n3oXcS1mPp2vQhJ5rT9uW"
TOKEN = "callers-bearer-1"
SDP = "application/sdp"


def target(**dialect: object) -> Target:
    own = Dialect("own", content_type=SDP, offer="", sessions=True, **dialect)  # type: ignore[arg-type]  # the test's own
    return Target(URL, dialect="own", own_dialect=own, bearer=SecretStr(TOKEN))


def created(location: str, status: int = 201, **headers: str) -> httpx.Response:
    return httpx.Response(status, text=ANSWER, headers={"Location": location, "Content-Type": SDP, **headers})


@pytest.mark.parametrize(
    ("location", "url", "problem"),
    [
        (SESSION, SESSION, ""),
        ("/api/voice/whip/abc", f"{URL}/abc", ""),
        ("whip/abc", f"{URL}/abc", ""),
        ("?session=abc", f"{URL}?session=abc", ""),
        ("", "", "missing"),
        ("[object Object]", "", "not-a-url"),
        ("/api/voice/whip/undefined", "", "not-a-url"),
        ("http://[::1", "", "not-a-url"),
        ("https://relay.example.com:99999/x", "", "not-a-url"),
        ("mailto:me@example.com", "", "not-a-url"),
        ("/api/voice/whip/a b", "", "not-a-url"),
        (URL, URL, "endpoint"),
        (f"{URL}/", f"{URL}/", "endpoint"),
        ("http://relay.internal:8080/x", "http://relay.internal:8080/x", "elsewhere"),
        ("//elsewhere.example.com/x", "https://elsewhere.example.com/x", "elsewhere"),
    ],
)
def test_a_location_is_a_session_or_why_not(location: str, url: str, problem: str) -> None:
    assert located(target(), URL, location) == (url, problem)


def test_a_session_may_be_at_an_origin_that_is_named() -> None:
    there = "https://media-1.example.com"
    assert located(target(session_origins=(there,)), URL, f"{there}/x") == (f"{there}/x", "")
    with pytest.raises(UsageError, match="session_origins"):
        Dialect("own", session_origins=(there,))


@respx.mock
async def test_the_session_of_an_offer_is_ended_with_its_token_and_only_once(open_bench: OpenBench) -> None:
    respx.post(URL).mock(return_value=created(SESSION, ETag='"1f3a"'))
    ending = respx.delete(SESSION).respond(200)
    async with open_bench(target()) as bench:
        sender = bench.sender
        assert await post_offer(sender, bench.target, OFFER) == ANSWER
        await end_sessions(sender, bench.target)
        await end_sessions(sender, bench.target)
    assert ending.call_count == 1
    assert ending.calls.last.request.headers["authorization"] == f"Bearer {TOKEN}"
    assert bench.timeline.first(WhipSession) == WhipSession(
        at=bench.timeline.all(WhipSession)[0].at, location=SESSION, etag='"1f3a"'
    )
    assert [e.purpose for e in bench.timeline.all(HttpRequest)] == ["offer", WHIP_END]
    assert TOKEN not in bench.timeline.to_jsonl()


@respx.mock
async def test_nothing_is_sent_to_another_host(open_bench: OpenBench) -> None:
    respx.post(URL).mock(return_value=created("http://relay.internal:8080/x"))
    async with open_bench(target()) as bench:
        sender = bench.sender
        assert await post_offer(sender, bench.target, OFFER) == ANSWER
        assert await end_sessions(sender, bench.target) == []
    session = bench.timeline.first(WhipSession)
    assert session is not None
    assert session.problem == "elsewhere"


@respx.mock
async def test_no_other_dialect_has_sessions(open_bench: OpenBench) -> None:
    respx.post(URL).mock(return_value=created(SESSION))
    async with open_bench(Target(URL, dialect="sdp")) as bench:
        sender = bench.sender
        assert await post_offer(sender, bench.target, OFFER) == ANSWER
        assert await end_sessions(sender, bench.target) == []
    assert bench.timeline.first(WhipSession) is None
    assert [name for name, row in DIALECTS.items() if row.sessions] == ["whip"]


@respx.mock
async def test_a_bad_offer_that_is_taken_is_ended_too(open_bench: OpenBench) -> None:
    respx.post(URL).mock(return_value=created("/api/voice/whip/taken-by-mistake"))
    ending = respx.delete(f"{URL}/taken-by-mistake").respond(200)
    async with open_bench(target()) as bench:
        sender = bench.sender
        await send_bad_offers(sender, bench.target, OFFER, seed=1)
        await end_sessions(sender, bench.target)
    assert ending.call_count == len(bench.timeline.all(HttpRequest, where=lambda e: e.purpose == BAD_OFFER))


@pytest.mark.parametrize(
    ("there", "authorization"),
    [("https://relay.example.com/other", f"Bearer {TOKEN}"), ("https://elsewhere.example.com/whip", None)],
)
@respx.mock
async def test_a_307_is_followed_and_the_token_stays_at_its_origin(
    open_bench: OpenBench, there: str, authorization: str | None
) -> None:
    respx.post(URL).respond(307, headers={"Location": there})
    offering = respx.post(there).mock(return_value=created(f"{there}/abcdefghijklmnopqrstuvwx"))
    async with open_bench(target()) as bench:
        sender = bench.sender
        assert await post_offer(sender, bench.target, OFFER) == ANSWER
    sent = offering.calls.last.request
    assert (sent.content.decode(), sent.headers.get("authorization")) == (OFFER, authorization)
    exchange = offer_exchange(bench.timeline)
    assert exchange is not None
    assert exchange.status == 201
    answered = next(stage for stage in stages(bench.timeline) if stage.name == "answer")
    last = bench.timeline.last(HttpResponse)
    assert last is not None
    assert answered.seconds is not None
    assert answered.start + answered.seconds == pytest.approx(last.at)


@pytest.mark.parametrize("status", [301, 302, 303])
@respx.mock
async def test_what_would_lose_the_offer_is_not_followed(open_bench: OpenBench, status: int) -> None:
    respx.post(URL).respond(status, headers={"Location": "/other"})
    async with open_bench(target()) as bench:
        sender = bench.sender
        assert await post_offer(sender, bench.target, OFFER) is None


@respx.mock
async def test_a_circle_of_redirections_ends(open_bench: OpenBench) -> None:
    around = respx.post(URL).respond(307, headers={"Location": URL})
    async with open_bench(target()) as bench:
        sender = bench.sender
        assert await post_offer(sender, bench.target, OFFER) is None
    assert around.call_count == 4


@pytest.mark.parametrize("location", ["", "http://[::1", "mailto:me@example.com"])
def test_a_redirection_to_nowhere_is_none(location: str) -> None:
    assert redirected(URL, HttpReply(307, (("Location", location),), b"")) == ""


@respx.mock
async def test_a_session_that_cannot_be_ended_is_told_and_holds_nobody_up(open_bench: OpenBench) -> None:
    respx.post(URL).mock(return_value=created(SESSION))
    respx.delete(SESSION).mock(side_effect=httpx.ConnectError("gone"))
    async with open_bench(target()) as bench:
        sender = bench.sender
        await post_offer(sender, bench.target, OFFER)
        assert await end_sessions(sender, bench.target) == [None]
    assert [e.purpose for e in bench.timeline.all(HttpRequest)] == ["offer", WHIP_END]


@respx.mock
async def test_credentials_of_turn_servers_are_never_recorded(open_bench: OpenBench) -> None:
    link = '<turn:turn.example.net>; rel="ice-server"; username="u"; credential="my-pass-word"'
    bare = link.replace('"my-pass-word"', "bare-pass")
    respx.post(URL).mock(return_value=created(SESSION, Link=f"{link}, {bare}"))
    async with open_bench(target()) as bench:
        sender = bench.sender
        await post_offer(sender, bench.target, OFFER)
    recorded = bench.timeline.to_jsonl()
    assert "my-pass-word" not in recorded
    assert "bare-pass" not in recorded
    assert 'username=\\"u\\"' in recorded


@pytest.mark.parametrize(
    ("name", "guessable"),
    [
        ("1", True),
        ("1699999999999", True),
        ("deadbeef", True),
        ("123e4567-e89b-12d3-a456-426614174000", False),
        ("Zb0n3oXcS1mPp2vQhJ5rT9uW", False),
    ],
)
def test_what_is_short_or_counted_can_be_guessed(name: str, guessable: bool) -> None:
    assert (bits_to_guess(f"{URL}/{name}") < 64) == guessable


@pytest.mark.parametrize("listed", [True, False])
def test_a_fragment_is_the_ice_part_of_the_first_section(listed: bool) -> None:
    own = "a=candidate:1 1 udp 2122260223 192.0.2.1 9 typ host\r\n"
    above = "a=group:BUNDLE 0 1\r\na=ice-options:trickle\r\n"
    section = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
    named = "a=ice-ufrag:abcd\r\na=ice-pwd:secretsecretsecretsecret\r\n"
    other = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\na=ice-ufrag:abcd\r\n"
    offer = f"v=0\r\n{above}{section}{named}{own if listed else ''}{other}"
    expected = f"{above}{section}{named}{own}a=end-of-candidates\r\n"
    assert fragment(offer, [("192.0.2.1", 9)]) == expected
