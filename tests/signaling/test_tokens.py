"""A page's side of a token relay: what it asks, what it reads, and what is never recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import respx
from pydantic import SecretStr

from harness.config.hooks import TokenMint
from harness.config.target import Target
from harness.core.clock import unix_time
from harness.core.events import AnswerReceived, HttpRequest, TokenMinted
from harness.core.probes import MINT, MINT_FOREIGN
from harness.signaling.exchange import post_offer
from harness.signaling.sending import HttpReply
from harness.signaling.tokens import OPENAI_CALLS, key_place, kind_of, mint, read_key
from tests.signaling.conftest import ANSWER, OFFER, OpenBench

URL = "https://app.example.com/api/token"
KEY = "ek_0123456789abcdefghij"


def target(**token: Any) -> Target:
    return Target(
        URL, dialect="sdp", bearer=SecretStr("callers-bearer-1"), token=TokenMint(URL, **token), origin="https://app.example.com"
    )  # fmt: skip


@respx.mock
async def test_a_key_is_minted_and_the_offer_goes_upstream_with_it(open_bench: OpenBench) -> None:
    minting = respx.post(URL).respond(200, json={"value": KEY, "expires_at": unix_time() + 60})
    calling = respx.post(OPENAI_CALLS).respond(201, text=ANSWER)
    async with open_bench(target(body={"chat": 1}, value="value")) as bench:
        assert await post_offer(bench.sender, bench.target, OFFER) == ANSWER
    asked, offered = minting.calls.last.request, calling.calls.last.request
    assert json.loads(asked.content) == {"chat": 1}
    assert asked.headers["authorization"] == "Bearer callers-bearer-1"
    assert (offered.headers["authorization"], offered.content.decode()) == (f"Bearer {KEY}", OFFER)
    assert [e.purpose for e in bench.timeline.all(HttpRequest)] == [MINT, "offer"]
    told = bench.timeline.first(TokenMinted)
    assert told is not None
    assert (told.key, told.place, told.page_sent_key) == ("ephemeral", "value", "")
    assert told.lifetime_s is not None
    assert 58 <= told.lifetime_s <= 61
    assert bench.timeline.first(AnswerReceived) is not None
    for secret in (KEY, "callers-bearer-1"):
        assert secret not in str(list(bench.timeline))


@respx.mock
async def test_a_key_of_any_looks_is_kept_off_the_record(open_bench: OpenBench) -> None:
    respx.get(URL).respond(200, json={"session": {"model": "m"}, "token": "an-opaque-key"})
    async with open_bench(target(method="GET")) as bench:
        minted = await mint(
            bench.sender, bench.target, purpose=MINT_FOREIGN, origin="https://elsewhere.invalid"
        )
    assert minted is not None
    assert (minted.value, minted.told.key, minted.told.session) == ("an-opaque-key", "other", {"model": "m"})
    assert respx.calls.last.request.headers["origin"] == "https://elsewhere.invalid"
    assert "an-opaque-key" not in str(list(bench.timeline))


@respx.mock
async def test_without_a_key_no_offer_is_sent(open_bench: OpenBench) -> None:
    respx.post(URL).respond(200, json={"value": "undefined"})
    calling = respx.post(OPENAI_CALLS)
    async with open_bench(target()) as bench:
        assert await post_offer(bench.sender, bench.target, OFFER) is None
    assert not calling.called


@pytest.mark.parametrize(
    ("body", "place", "key", "says"),
    [
        ({"value": KEY}, "value", KEY, ""),
        ({"client_secret": {"value": KEY}}, "", KEY, ""),
        ({"data": {"ephemeral": KEY}}, "", KEY, ""),
        ({"value": KEY}, "token", "", "has nothing at 'token' (it has value)"),
        ({"value": None}, "value", "", "is no text but NoneType"),
        ({"value": "undefined"}, "value", "", "is no key ('undefined')"),
        ({"value": "[object Object]"}, "value", "", "is no key"),
        ({"value": "a key with blanks"}, "value", "", "is no key"),
        ({"value": ""}, "value", "", "is no key"),
        ({"ok": True}, "", "", "has no key anywhere"),
        ("<html>", "value", "", "is not JSON"),
        ("[" * 5000, "value", "", "is not JSON"),
        ([KEY], "0", KEY, ""),
    ],
)
def test_a_key_is_read_from_its_place_or_what_is_wrong_said(
    body: object, place: str, key: str, says: str
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    value, _, problem = read_key(HttpReply(200, (), text.encode()), place)
    assert value == key
    assert says in problem
    assert read_key(HttpReply(500, (), text.encode()), place)[2] == "status 500"


def test_keys_are_told_apart_by_their_looks() -> None:
    assert [kind_of(k) for k in (KEY, "sk-proj-0123456789abcdef", "eyJhbGciOi")] == [
        "ephemeral",
        "project",
        "other",
    ]
    assert key_place({"a": [{"b": KEY}]}) == "a.0.b"
    assert key_place({"a": "x"}) == ""


@respx.mock
@pytest.mark.parametrize(
    ("config", "where"),
    [
        ({"headers": (("X-Key", SecretStr("sk-proj-0123456789abcdef")),)}, "header x-key"),
        ({"token": TokenMint(URL, body={"apiKey": "sk-proj-0123456789abcdef"})}, "its body"),
        ({"token": TokenMint(f"{URL}?k=sk-proj-0123456789abcdef")}, "its URL"),
    ],
)  # fmt: skip
async def test_a_project_key_in_the_page_s_request_is_told_by_place(
    open_bench: OpenBench, config: Mapping[str, Any], where: str
) -> None:
    respx.route(url__startswith=URL).respond(200, json={"value": KEY})
    async with open_bench(
        Target(**{"url": URL, "dialect": "sdp", "token": TokenMint(URL), **config})
    ) as bench:
        minted = await mint(bench.sender, bench.target)
    assert minted is not None
    assert where in minted.told.page_sent_key.lower() or where == minted.told.page_sent_key
    assert "sk-proj-0123456789abcdef" not in str(list(bench.timeline))
