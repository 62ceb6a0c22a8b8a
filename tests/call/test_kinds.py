"""Kinds of caller: each has an opener, and what one cannot do is neither failed nor passed."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import cast

import pytest

from harness.call import Caller, Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext, StartPair
from harness.call.kinds import BEGIN_CALLS
from harness.call.peer_end import PeerEnd
from harness.config.run import run_settings
from harness.core.callers import CALLERS, CallerKind, View
from harness.core.events import CallStarted, StepEnded, VerbUnavailable
from harness.core.timeline import Timeline
from harness.requirements import REGISTRY, Outcome, judge

NUMB = CallerKind(
    "numb",
    "one that can do next to nothing",
    cannot={"impair": "HTMLElement has no network", "mute": "MediaStreamTrack.enabled is read only here"},
    unseen={"rtp": "getStats has no arrivals"},
)


@pytest.fixture(autouse=True)
def numb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cast("dict[str, object]", CALLERS), "numb", NUMB)
    monkeypatch.setitem(
        cast("dict[str, object]", BEGIN_CALLS), "numb", lambda _settings: nullcontext(PeerEnd)
    )


def scenario_of(plan: object) -> Scenario:
    return Scenario("planned", "A call of this test.", plan, ("turns",))  # type: ignore[arg-type]  # any plan


def test_every_kind_has_an_opener_and_says_what_it_is() -> None:
    assert BEGIN_CALLS.keys() == CALLERS.keys()
    for name, kind in CALLERS.items():
        assert kind.name == name
        assert kind.what
        assert kind.schemes
        assert all(kind.cannot.values())
        assert all(kind.unseen.values())


async def test_what_a_caller_cannot_do_ends_its_call_as_not_applicable(start_pair: StartPair) -> None:
    async def muted(caller: Caller) -> None:
        await caller.connect()
        caller.mute()
        raise AssertionError("never reached")

    async with CallContext.open(run_settings(seed=3, caller="numb"), start_pair) as context:
        timeline = (await make_call(context, scenario_of(muted), call="001")).timeline
    unavailable = timeline.first(VerbUnavailable)
    assert unavailable is not None
    assert (unavailable.verb, unavailable.caller) == ("mute", "numb")
    assert unavailable.reason == NUMB.cannot["mute"]
    started = timeline.first(CallStarted)
    assert started is not None
    assert started.caller == "numb"
    verdicts = judge([timeline], REGISTRY)
    assert {verdict.outcome for verdict in verdicts} == {Outcome.NOT_APPLICABLE}
    of_the_call = next(v for v in verdicts if v.id == "turns.speech-detected")
    assert of_the_call.explanation == "a numb caller cannot mute: MediaStreamTrack.enabled is read only here"
    assert Timeline.from_jsonl(timeline.to_jsonl()).first(VerbUnavailable) == replace_at(unavailable)


async def test_a_verb_that_is_a_step_leaves_none_that_failed(start_pair: StartPair) -> None:
    async def dark(caller: Caller) -> None:
        await caller.network.blackout_during(caller.say("en-m-yes"), after=0.1, seconds=1)

    async with CallContext.open(run_settings(seed=3, caller="numb"), start_pair) as context:
        timeline = (await make_call(context, scenario_of(dark), call="001")).timeline
    assert [e.step for e in timeline.all(StepEnded) if e.failed] == []
    assert timeline.first(VerbUnavailable) is not None


def test_a_requirement_that_must_see_what_this_kind_does_not_is_not_applicable() -> None:
    timeline = Timeline([CallStarted(at=0.0, call="001", caller="numb")])
    requirement = replace(REGISTRY.get("signaling.answer-is-sdp"), sees=cast("tuple[View, ...]", ("rtp",)))
    (verdict,) = judge([timeline], [replace(requirement, needs=(), when=())])
    assert verdict.outcome == Outcome.NOT_APPLICABLE
    assert "getStats has no arrivals" in verdict.explanation
    (seeing,) = judge(
        [Timeline([CallStarted(at=0.0, call="001")])], [replace(requirement, needs=(), when=())]
    )
    assert "getStats" not in seeing.explanation


def replace_at(event: VerbUnavailable) -> VerbUnavailable:
    return VerbUnavailable(at=round(event.at, 6), verb=event.verb, caller=event.caller, reason=event.reason)
