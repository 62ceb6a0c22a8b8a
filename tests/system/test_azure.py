"""Azure: its own prefix, its own header for the key, deployments of any name; as offer and token relay."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import uvloop
from pydantic import SecretStr

from harness.call import Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.config.hooks import TokenMint
from harness.config.run import run_settings
from harness.config.target import Target
from harness.core.events import HttpRequest, RequestArrived
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.settings import SESSION_PATH, TOKEN_PATH, RelaySettings, default_session
from harness.fakes.serving import running
from harness.requirements import REGISTRY, Outcome, judge
from tests.system.conversations import takes_a_turn

pytestmark = pytest.mark.timeout(120)

CALLER_TOKEN = "caller-token-of-azures"
DEPLOYMENT = "voice-deployment-eu"
BASE = "/openai/v1"
KEY_HEADER = "api-key"


def azure(fake: str, key: str) -> RelaySettings:
    """A relay that knows no other upstream than Azure."""
    session = default_session() | {"model": DEPLOYMENT}
    return RelaySettings(f"{fake}{BASE}", key, session=session, bearer_token=CALLER_TOKEN)


async def _calls() -> dict[str, Timeline]:
    with EmbeddedPair(EmbeddedOptions()) as pair:
        async with running(ReferenceRelay(azure(pair.fake, pair.options.api_key)).app) as relay:
            bearer = SecretStr(CALLER_TOKEN)
            minted = TokenMint(f"{relay}{TOKEN_PATH}", offers_to=f"{pair.fake}{BASE}/realtime/calls")
            targets = {
                "offers": Target(f"{relay}{SESSION_PATH}", bearer=bearer),
                "keys": Target(f"{relay}{TOKEN_PATH}", dialect="sdp", token=minted, bearer=bearer),
            }
            made = await asyncio.gather(*(_call(pair, name, target) for name, target in targets.items()))
    return dict(zip(targets, made, strict=True))


async def _call(pair: EmbeddedPair, name: str, target: Target) -> Timeline:
    settings = run_settings(target=target.url, fake_openai=pair.fake, seed=5)
    async with CallContext.open(replace(settings, target=target), EmbeddedPair.for_run) as context:
        plan = Scenario("azure", "Through Azure", takes_a_turn, ())
        return (await make_call(context, plan, call=name)).timeline


@pytest.fixture(scope="module")
def timelines() -> dict[str, Timeline]:
    return uvloop.run(_calls())


@pytest.mark.parametrize("way", ["offers", "keys"])
def test_a_relay_in_front_of_azure_conforms(way: str, timelines: dict[str, Timeline]) -> None:
    verdicts = judge([timelines[way]], REGISTRY)
    assert [v for v in verdicts if v.outcome in (Outcome.FAILED, Outcome.WARNED, Outcome.ERROR)] == []
    passed = {v.id for v in verdicts if v.outcome == Outcome.PASSED}
    assert {"session.created", "turns.response-completes", "audio.something-heard"} <= passed


def test_the_key_goes_in_azures_header_below_azures_prefix(timelines: dict[str, Timeline]) -> None:
    asked = timelines["offers"].first(HttpRequest, side="upstream")
    assert asked is not None
    headers = {name.lower() for name, _ in asked.headers}
    assert (KEY_HEADER in headers, "authorization" in headers) == (True, False)
    arrived = timelines["keys"].all(RequestArrived, side="upstream")
    assert {a.url.partition("?")[0] for a in arrived} >= {f"{BASE}/realtime/calls"}
