"""Through a relay whose answer is libwebrtc's, nothing is found where nothing is wrong."""

from __future__ import annotations

import asyncio

import pytest

from harness.core.events import AnswerReceived, OfferCreated
from harness.core.offer_shapes import OFFER_SHAPES
from harness.core.sdp import parse_sdp
from harness.core.timeline import Timeline
from harness.requirements import REGISTRY, Outcome, judge
from harness.requirements.conditions import started
from tests.far_end.calling import make_calls_to_libwebrtc
from tests.support.programs import needs_program
from tests.system.faultless import alarms

SCENARIOS = ("first_turn_english", "interruption", "muted_speech", "preflight", "session_update_only")
HEARD = (
    "audio.comes-back",
    "turns.speech-detected",
    "connectivity.data-channel-opens",
    "signaling.answer-is-sdp",
)

# Relay, gateway and Node are three processes more, whose lateness on a busy machine no loop of ours sees.
PATIENT = {"answer_s": 10.0, "channel_s": 10.0, "latency_ms": 20_000.0}

pytestmark = pytest.mark.timeout(180)  # the first test waits for all calls


@pytest.fixture(scope="module")
def timelines() -> list[Timeline]:
    """One call of each scenario, each with another shape of offer."""
    for program in ("node", "npm"):
        needs_program(program)
    return asyncio.run(make_calls_to_libwebrtc(len(SCENARIOS), seed=1, names=SCENARIOS, limits=PATIENT))


def test_no_call_to_libwebrtc_raises_an_alarm(timelines: list[Timeline]) -> None:
    assert [f"{v.scenario} {v.id}: {v.explanation}" for t in timelines for v in alarms(t)] == []


def test_every_shape_of_offer_was_answered_by_libwebrtc(timelines: list[Timeline]) -> None:
    offered = [offer.shape for t in timelines if (offer := t.first(OfferCreated))]
    assert sorted(offered) == sorted(OFFER_SHAPES)
    for timeline in timelines:
        answer = timeline.first(AnswerReceived)
        assert answer is not None
        assert "a=msid-semantic: WMS" in answer.sdp
        audio = parse_sdp(answer.sdp).section("audio")
        assert audio is not None
        assert audio.candidates
        assert audio.codecs[0].name == "opus"


def test_libwebrtc_was_heard_and_not_passed_over(timelines: list[Timeline]) -> None:
    (first,) = [t for t in timelines if started(t).scenario == "first_turn_english"]
    verdicts = {v.id: v.outcome for v in judge([first], REGISTRY)}
    assert {name: verdicts[name] for name in HEARD} == dict.fromkeys(HEARD, Outcome.PASSED)
