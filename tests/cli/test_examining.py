"""The dialect of a relay is found with offers that make no call."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness.call import Scenario
from harness.call.context import CallContext
from harness.cli.examining import DialectRefused, Examined, examine
from harness.config.run import run_settings
from harness.core.dialects import DIALECTS, OWN, Dialect
from harness.core.events import CallStarted
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.settings import SESSION_PATH, RelaySettings
from harness.fakes.serving import running
from harness.requirements.judging import judge
from harness.requirements.model import Outcome
from harness.requirements.registry import REGISTRY
from tests.system.conversations import connects


@pytest.fixture(scope="module")
def pair() -> Iterator[EmbeddedPair]:
    with EmbeddedPair(EmbeddedOptions()) as running_pair:
        yield running_pair


@dataclass
class FakeStrictRelay:
    """Takes one dialect alone, and has the reference relay answer; `refuse` is its status for the others."""

    dialect: str
    behind: str
    refuse: int = 400
    offers: list[str] = field(default_factory=list)

    async def session(self, request: Request) -> Response:
        kind = request.headers["content-type"].partition(";")[0]
        body = await request.body()
        self.offers.append(kind)
        if not self._takes(kind, body):
            return JSONResponse({"error": "what is this?"}, self.refuse)
        headers = {"content-type": request.headers["content-type"]}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(self.behind, content=body, headers=headers)
        if self.dialect == "json-answer" and answer.is_success:
            return JSONResponse({"type": "answer", "sdp": answer.text})
        return Response(answer.content, answer.status_code, media_type=answer.headers["content-type"])

    def _takes(self, kind: str, body: bytes) -> bool:
        match self.dialect:
            case "sdp":
                return kind == "application/sdp"
            case "multipart":
                return kind == "multipart/form-data"
            case "json":  # as a strict schema would have it
                return kind == "application/json" and b'"type"' not in body
            case _:
                return kind == "application/json" and b'"type"' in body


@asynccontextmanager
async def serving(relay: FakeStrictRelay) -> AsyncIterator[str]:
    async with running(Starlette(routes=[Route("/session", relay.session, methods=["POST"])])) as url:
        yield f"{url}/session"


async def found(url: str, **options: object) -> tuple[Examined, list[DialectRefused]]:
    refused: list[DialectRefused] = []
    settings = run_settings(target=url, seed=1, **options)  # type: ignore[arg-type]  # by name, as given
    plan = Scenario("connects", "Connects and hangs up", connects, ())
    async with CallContext.open(settings, EmbeddedPair.for_run) as context:
        examined = await examine(context, plan, watch=lambda *_: None, on_refused=refused.append)
    return examined, refused


@dataclass
class FakeForwarder:
    """A relay of its own: `read` takes the offer out of a request, and it goes to the fake as a form."""

    fake: str
    key: str
    read: Callable[[bytes, str], str]

    async def session(self, request: Request) -> Response:
        try:
            offer = self.read(await request.body(), request.headers["content-type"])
        except ValueError:
            return JSONResponse({"error": "cannot read this"}, 500)
        session = '{"type": "realtime", "model": "gpt-realtime-2.1"}'
        parts = {"sdp": (None, offer.encode()), "session": (None, session.encode())}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"{self.fake}/v1/realtime/calls",
                files=parts,
                headers={"Authorization": f"Bearer {self.key}"},
            )
        # The field's habit: whatever came goes back, and it is called a success.
        return Response(answer.content, media_type=answer.headers["content-type"])


def as_text(body: bytes, _kind: str) -> str:
    return body.decode()


def not_awaited(_body: bytes, _kind: str) -> str:
    return "undefined"


def trimmed(body: bytes, kind: str) -> str:
    return str(json.loads(body)["sdp"]).strip() if kind == "application/json" else "[object Object]"


@pytest.mark.parametrize(
    ("read", "dialect", "refused"),
    [
        (as_text, "sdp", {"json": "json-instead-of-sdp", "json-answer": "json-instead-of-sdp"}),
        (not_awaited, "json", None),
        (trimmed, "json", {}),
    ],
)
async def test_the_search_goes_on_until_an_offer_has_arrived_as_sdp(
    read: Callable[[bytes, str], str], dialect: str, refused: dict[str, str] | None, pair: EmbeddedPair
) -> None:
    """The relay calls everything a success: what arrived tells which form it reads."""
    relay = FakeForwarder(pair.fake, pair.options.api_key, read)
    async with running(Starlette(routes=[Route("/session", relay.session, methods=["POST"])])) as url:
        examined, told = await found(f"{url}/session", fake_openai=pair.fake)
    if refused is None:
        assert {each.cause for each in told} == {"offer-undefined"}
    else:
        assert {each.dialect: each.cause for each in told} == refused
    assert examined.dialect.name == dialect
    assert examined.was_found == (read is as_text)


async def upstream_calls(pair: EmbeddedPair) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return len((await client.get(f"{pair.fake}/_fake/calls")).json()["calls"])


@pytest.mark.parametrize(
    ("dialect", "refuse"),
    [("json", 400), ("sdp", 415), ("json-answer", 400), ("multipart", 400), ("multipart", 500)],
)
async def test_a_dialect_is_found_and_one_call_is_made(dialect: str, refuse: int, pair: EmbeddedPair) -> None:
    relay = FakeStrictRelay(dialect, pair.offer_url, refuse)
    before = await upstream_calls(pair)
    async with serving(relay) as url:
        examined, refused = await found(url)
    assert examined.dialect.name == dialect
    order = ["json", "json-answer", "sdp", "multipart"]
    assert [each.dialect for each in refused] == order[: order.index(dialect)]
    assert await upstream_calls(pair) == before + 1
    started = examined.record.timeline.first(CallStarted)
    assert started is not None
    assert started.dialect == dialect
    wrong = [v for v in judge([examined.record.timeline], REGISTRY) if v.outcome == Outcome.FAILED]
    assert wrong == []


async def test_a_relay_that_takes_json_needs_no_search(pair: EmbeddedPair) -> None:
    examined, refused = await found(pair.offer_url)
    assert (examined.dialect.name, refused) == ("json", [])


async def test_a_given_dialect_is_not_searched_for(pair: EmbeddedPair) -> None:
    relay = FakeStrictRelay("sdp", pair.offer_url)
    async with serving(relay) as url:
        examined, refused = await found(url, dialect="json")
    assert (examined.dialect.name, refused, set(relay.offers)) == ("json", [], {"application/json"})


@pytest.mark.parametrize("status", [302, 401, 404, 405, 413, 429, 503])
async def test_a_refusal_that_is_not_about_the_form_ends_the_search(status: int, pair: EmbeddedPair) -> None:
    relay = FakeStrictRelay("sdp", pair.offer_url, status)
    async with serving(relay) as url:
        _, refused = await found(url)
    assert (set(relay.offers), refused) == ({relay.offers[0]}, [])


async def test_fields_leave_out_the_dialects_that_have_no_room_for_them(
    pair: EmbeddedPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_FIELDS", '{"chatId": "c1"}')
    relay = FakeStrictRelay("multipart", pair.offer_url)
    async with serving(relay) as url:
        examined, _ = await found(url)
    assert examined.dialect.name == "multipart"
    assert "application/sdp" not in relay.offers


async def test_where_every_dialect_is_refused_the_most_telling_refusal_is_shown() -> None:
    """The one form that the relay takes is refused by what is behind it; the others by the relay itself."""
    with_trouble = EmbeddedPair(EmbeddedOptions(relay_faults=("offer-trimmed",)))
    async with with_trouble as behind, serving(FakeStrictRelay("sdp", behind.offer_url)) as url:
        examined, refused = await found(url)
    assert [each.dialect for each in refused[:4]] == ["json", "json-answer", "sdp", "multipart"]
    assert examined.dialect.name == "sdp"
    assert {each.dialect: each.cause for each in refused}["sdp"] == "upstream-offer-rejected"


SAME = ("name", "method", "content_type", "offer", "answer")
OWN_SHAPES = [
    Dialect(OWN, method="PUT", offer="rtcThing", fields={"session": {}}, answer="data.0.answerSdp"),
    Dialect(OWN, offer="webrtc.localDesc.sdp", answer="."),
    Dialect(
        OWN, content_type="multipart/form-data", offer="sdpOffer", query={"voice": "marin"}, answer="sdp"
    ),
]


# WHIP is declared, not found: OpenAI's own endpoint answers 201 with a Location, too.
FOUND_SHAPES = [dialect for dialect in (*DIALECTS.values(), *OWN_SHAPES) if not dialect.sessions]


@pytest.mark.parametrize("dialect", FOUND_SHAPES, ids=lambda d: d.name if d.name != OWN else d.shown)
async def test_every_shape_of_a_strict_relay_is_found_and_conforms(
    dialect: Dialect, pair: EmbeddedPair
) -> None:
    settings = RelaySettings(pair.fake, pair.options.api_key, dialect=dialect)
    before = await upstream_calls(pair)
    async with running(ReferenceRelay(settings).app) as url:
        examined, _ = await found(f"{url}{SESSION_PATH}")
        assert await upstream_calls(pair) == before + 1
    got = examined.dialect
    if dialect.name == "live":  # what its session is cannot be told from its refusals
        got = replace(got, name="live")
    assert [getattr(got, name) for name in SAME] == [getattr(dialect, name) for name in SAME]
    wrong = [v for v in judge([examined.record.timeline], REGISTRY) if v.outcome == Outcome.FAILED]
    assert wrong == []
