"""Through a gateway that ends the caller's WebRTC: found, followed upstream, judged by what still holds."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import msgspec
import pytest

from harness.call import Caller, Scenario
from harness.call.comparing import compare_audio
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.config.run import RunSettings, run_settings
from harness.core.events import CallMarked, CallStarted, GatewayFound, PacketsReceived
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.requirements import REGISTRY, Outcome, judge
from tests.system.calling import LIMITS, TIMEOUTS, was_late
from tests.system.conversations import asks_at_length, connects, stays_for_six_seconds, takes_a_turn
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
    "opens late": ("gateway-opens-late", "", {}, takes_a_turn, ["audio.complete: first-words-lost"]),
    "undeclared": (KEEPS_EVENTS, "", {}, connects, ["session.created: session-created-missing"]),
    "by ear": (KEEPS_EVENTS, "", {}, asks_at_length, []),  # and another beside it
    "nobody upstream": (
        "gateway-without-upstream",
        "",
        {},
        connects,
        ["gateway.upstream-opens: no-upstream"],
    ),
    "deaf": ("gateway-deaf", "", {}, connects, ["gateway.upstream-opens: voice-not-passed-on"]),
}
BESIDE = "beside it"
BY_EAR = ("by ear", "nobody upstream", "deaf")  # which say of the target that it passes no events


async def _made(
    name: str, settings: RunSettings, pair: EmbeddedPair, management: httpx.AsyncClient
) -> dict[str, Timeline]:
    gateway, fake, limits, conversation, _ = CASES[name]
    for base, text in ((f"{pair.relay}/_relay", gateway), (f"{pair.fake}/_fake", fake)):
        await management.delete(f"{base}/faults")
        fault, _, value = text.partition("=")
        planted = {"name": fault, "calls": 2} | ({"value": value} if value else {})
        if fault:
            (await management.post(f"{base}/faults", json=[planted])).raise_for_status()
    own = replace(settings, limits={**LIMITS, **PATIENT, **limits}, timeouts=TIMEOUTS)
    own = replace(own, target=replace(own.the_target, passes_events=name not in BY_EAR))
    # By ear two callers come at once: nothing but what they say tells them apart.
    plans = {name: conversation} | ({BESIDE: speaks_and_hears} if conversation is asks_at_length else {})
    async with CallContext.open(own, EmbeddedPair.for_run) as context:
        calls = (make_call(context, Scenario(n, n, plan, ()), call=n) for n, plan in plans.items())
        records = await asyncio.gather(*calls)
        for record in records:
            compare_audio(record.timeline, record.audio, context.library)
        return {record.scenario.name: record.timeline for record in records}


async def speaks_and_hears(caller: Caller) -> None:
    await caller.connect()
    await caller.say("en-m-yes")
    await caller.hear_reply()
    await caller.hang_up()


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
                    made |= await _made(name, settings, pair, management)
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
    assert (found.upstream if found else "") == ("" if name == "nobody upstream" else "websocket")
    verdicts = judge([timeline], REGISTRY)
    bad = {f"{v.id}: {v.cause}": v.explanation for v in verdicts if v.outcome in FOUND}
    if name == "by ear" and was_late(timeline):
        return  # two calls at once, one encoder in Python: a late one is no speech to anybody
    if name in BY_EAR:
        bad = {found: why for found, why in bad.items() if not found.startswith("audio.")}
    assert list(bad) == CASES[name][-1], bad


def test_a_caller_who_only_hears_finds_its_own_upstream_call_among_others(
    timelines: dict[str, Timeline],
) -> None:
    calls, transcripts = set(), dict[str, str]()
    for name in ("by ear", BESIDE):
        timeline = timelines[name]
        marked, found = timeline.first(CallMarked), timeline.first(GatewayFound)
        assert marked is not None
        assert found is not None
        assert marked.mark in found.mark
        calls.add(marked.call)
        said = timeline.server_events("conversation.item.input_audio_transcription.completed")
        transcripts |= {name: str((said[0].event or {})["transcript"])} if said else {}
    assert len(calls) == 2
    outcomes = {v.id: v.outcome for v in judge([timelines["by ear"]], REGISTRY)}
    assert outcomes["gateway.upstream-opens"] == outcomes["session.created"] == Outcome.PASSED
    if not any(was_late(timelines[name]) for name in ("by ear", BESIDE)):
        assert outcomes["turns.response-completes"] == outcomes["audio.something-heard"] == Outcome.PASSED
        assert transcripts.keys() == {"by ear", BESIDE}


def test_without_the_upstreams_view_what_can_be_heard_is_judged_all_the_same(
    timelines: dict[str, Timeline],
) -> None:
    own = [e for e in timelines["by ear"] if e.side == "caller" and not isinstance(e, GatewayFound)]
    [begun, *rest] = own
    assert isinstance(begun, CallStarted)
    alone = Timeline([msgspec.structs.replace(begun, mode="black-box"), *rest])
    outcomes = {v.id: v.outcome for v in judge([alone], REGISTRY)}
    if not was_late(alone):
        assert outcomes["audio.something-heard"] == Outcome.PASSED
    assert outcomes["session.created"] == outcomes["turns.latency"] == Outcome.NOT_APPLICABLE
    unheard = Timeline(e for e in alone if not isinstance(e, PacketsReceived))
    [verdict] = judge([unheard], [REGISTRY.get("audio.something-heard")])
    assert verdict.cause == "nothing-heard"


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
