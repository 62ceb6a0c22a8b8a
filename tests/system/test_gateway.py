"""Through a gateway that ends the caller's WebRTC: found, followed upstream, judged by what still holds."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest

from harness.call import Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.config.run import RunSettings, run_settings
from harness.core.events import GatewayFound
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.requirements import REGISTRY, Outcome, judge
from tests.system.calling import LIMITS, TIMEOUTS, was_late
from tests.system.conversations import connects, stays_for_six_seconds, takes_a_turn
from tests.system.planted import Conversation
from tests.system.planted_conversing import BUSY

TRIES = 3
FOUND = (Outcome.FAILED, Outcome.WARNED, Outcome.ERROR)
# A gateway's queues and a busy machine make neither latency nor boundaries its fault here.
PATIENT = {
    "boundary_ms": 2000.0,
    "gap_ms": 2000.0,
    "jitter_ms": 500.0,
    "channel_s": 8.0,
    "answer_s": 10.0,
} | dict(BUSY)

pytestmark = pytest.mark.timeout(200)  # the first test waits for all calls

# name → faults of gateway and fake, limits, what the caller does, what must be found
KEEPS_EVENTS = "gateway-keeps-events"
CASES: dict[str, tuple[str, str, dict[str, float], Conversation, list[str]]] = {
    "healthy": ("", "", {}, takes_a_turn, []),
    "hangs up": (
        "gateway-upstream-leaked",
        "",
        {},
        connects,
        ["lifecycle.hang-up-releases-call: call-leaked"],
    ),
    "keeps": (
        "gateway-caller-kept",
        "channel-closed=1",
        {},
        stays_for_six_seconds,
        ["gateway.upstream-end-told: caller-kept"],
    ),
    "slow": (
        "gateway-delays=0.6",
        "",
        {"gateway_delay_ms": 450.0},
        takes_a_turn,
        ["gateway.delay: gateway-slow"],
    ),
    "undeclared": (KEEPS_EVENTS, "", {}, connects, ["session.created: session-created-missing"]),
    "by ear": (KEEPS_EVENTS, "", {}, takes_a_turn, []),
}
BY_EAR = ("by ear",)  # which say of the target that it passes no events


async def _made(
    name: str, settings: RunSettings, pair: EmbeddedPair, management: httpx.AsyncClient
) -> Timeline:
    gateway, fake, limits, conversation, _ = CASES[name]
    for base, text in ((f"{pair.relay}/_relay", gateway), (f"{pair.fake}/_fake", fake)):
        await management.delete(f"{base}/faults")
        fault, _, value = text.partition("=")
        planted = {"name": fault, "calls": 1} | ({"value": value} if value else {})
        if fault:
            (await management.post(f"{base}/faults", json=[planted])).raise_for_status()
    own = replace(settings, limits={**LIMITS, **PATIENT, **limits}, timeouts=TIMEOUTS)
    own = replace(own, target=replace(own.the_target, passes_events=name not in BY_EAR))
    async with CallContext.open(own, EmbeddedPair.for_run) as context:
        return (await make_call(context, Scenario(name, name, conversation, ()), call="001")).timeline


def found_in(timeline: Timeline) -> list[str]:
    return [f"{v.id}: {v.cause}" for v in judge([timeline], REGISTRY) if v.outcome in FOUND]


async def one_by_one() -> dict[str, Timeline]:
    """Nothing in its upstream's request names a gateway's call, so its time has to."""
    made: dict[str, Timeline] = {}
    with EmbeddedPair(EmbeddedOptions(gateway=True)) as pair:
        settings = run_settings(seed=1).with_pair(pair.offer_url, pair.fake)
        async with httpx.AsyncClient(trust_env=False) as management:
            for name in CASES:
                for _ in range(TRIES):
                    made[name] = await _made(name, settings, pair, management)
                    # The gateway is late as we are: one machine.
                    if not was_late(made[name]) or found_in(made[name]) == CASES[name][-1]:
                        break
    return made


@pytest.fixture(scope="module")
def timelines() -> dict[str, Timeline]:
    return asyncio.run(one_by_one())


@pytest.mark.parametrize("name", CASES)
def test_a_gateway_is_found_and_what_it_does_wrong_is_all_that_is_found(
    name: str, timelines: dict[str, Timeline]
) -> None:
    timeline = timelines[name]
    found = timeline.first(GatewayFound)
    assert found is not None
    assert found.upstream == "websocket"
    verdicts = judge([timeline], REGISTRY)
    bad = {f"{v.id}: {v.cause}": v.explanation for v in verdicts if v.outcome in FOUND}
    assert list(bad) == CASES[name][-1], bad


def test_what_is_about_the_callers_own_offer_does_not_apply(timelines: dict[str, Timeline]) -> None:
    outcomes = {v.id: v.outcome for v in judge([timelines["healthy"]], REGISTRY)}
    for name in ("offer-reaches-upstream", "offer-forwarded-intact", "answer-returned-intact"):
        assert outcomes[f"signaling.{name}"] == Outcome.NOT_APPLICABLE
    for name in ("audio.comes-back", "turns.response-completes", "lifecycle.hang-up-releases-call"):
        assert outcomes[name] == Outcome.PASSED


def test_the_delay_of_either_direction_is_measured(timelines: dict[str, Timeline]) -> None:
    (fast,) = judge([timelines["healthy"]], [REGISTRY.get("gateway.delay")])
    (slow,) = judge([timelines["slow"]], [REGISTRY.get("gateway.delay")])
    assert fast.outcome in (Outcome.OBSERVED, Outcome.INCONCLUSIVE)
    assert slow.cause == "gateway-slow" or slow.outcome == Outcome.INCONCLUSIVE
