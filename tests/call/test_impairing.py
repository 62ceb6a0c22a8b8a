from __future__ import annotations

import pytest

from harness.call import Caller, Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext, StartPair
from harness.call.peer_end import PeerEnd
from harness.config.run import run_settings
from harness.core.errors import UsageError
from harness.core.events import ImpairmentMeasured, NetworkImpaired, StateChanged
from harness.core.reception import reception, streams
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedPair
from harness.network.impairments import Impairment
from harness.requirements import REGISTRY, Outcome, judge


def scenario_of(plan: object) -> Scenario:
    return Scenario("impaired", "A call of this test.", plan, ("turns",))  # type: ignore[arg-type]  # plans of all kinds


def injected(timeline: Timeline, direction: str) -> ImpairmentMeasured:
    found = timeline.first(ImpairmentMeasured, where=lambda e: e.direction == direction)
    assert found is not None
    return found


def outcomes(timeline: Timeline) -> dict[str, Outcome]:
    return {verdict.id: verdict.outcome for verdict in judge([timeline], REGISTRY)}


async def test_what_is_injected_on_the_way_down_is_measured_there(context: CallContext) -> None:
    async def lossy(caller: Caller) -> None:
        await caller.connect()
        caller.network.impair(down=Impairment(loss=0.2, delay_ms=30))
        await caller.stay_silent(4)
        await caller.hang_up()

    timeline = (await make_call(context, scenario_of(lossy), call="001")).timeline
    changed = timeline.first(NetworkImpaired)
    assert changed is not None
    assert (changed.name, changed.up, changed.down) == ("custom", {}, {"loss": 0.2, "delay_ms": 30})
    down, up = injected(timeline, "down"), injected(timeline, "up")
    (packets,) = streams(timeline).values()
    after = reception([p for p in packets if p.at > changed.at])
    # A few datagrams are not audio: checks, the data channel, reports.
    assert after.lost == pytest.approx(down.lost, abs=8)
    assert after.lost_percent == pytest.approx(20, abs=10)
    assert down.delay_ms == pytest.approx(30)
    assert (up.lost, up.delay_ms) == (0, 0)


async def test_an_unimpaired_call_has_nothing_between_it_and_its_socket(context: CallContext) -> None:
    async def plain(caller: Caller) -> None:
        await caller.connect()
        assert isinstance(caller.line.end, PeerEnd)
        protocol = caller.line.end._peer._transport._agent._protocols[0]
        assert type(protocol.transport).__name__ != "_WiredSocket"
        await caller.hang_up()

    timeline = (await make_call(context, scenario_of(plain), call="001")).timeline
    assert timeline.first(ImpairmentMeasured) is None
    assert timeline.first(NetworkImpaired) is None


async def test_a_run_on_a_train_holds_a_turn_and_does_not_blame_the_relay_for_its_audio(
    start_pair: StartPair,
) -> None:
    async def turn(caller: Caller) -> None:
        await caller.connect()
        await caller.say("en-m-yes")
        await caller.hear_reply()
        await caller.hang_up()

    async with CallContext.open(run_settings(seed=5, impairment="train"), start_pair) as context:
        timeline = (await make_call(context, scenario_of(turn), call="001")).timeline
    assert [e.name for e in timeline.all(NetworkImpaired)] == ["train"]
    assert injected(timeline, "up").packets > 100
    found = outcomes(timeline)
    assert found["audio.clean"] in (Outcome.NOT_APPLICABLE, Outcome.PASSED)
    assert found["connectivity.data-channel-opens"] == Outcome.PASSED
    assert Outcome.FAILED not in found.values(), found
    assert Timeline.from_jsonl(timeline.to_jsonl()).first(NetworkImpaired) is not None


async def test_what_a_blackout_breaks_is_not_the_targets_doing(context: CallContext) -> None:
    async def cut_off(caller: Caller) -> None:
        await caller.connect()
        caller.network.blackout(60)
        await caller.say("en-m-yes")
        await caller.stay_silent(9)
        await caller.hang_up()

    found = outcomes((await make_call(context, scenario_of(cut_off), call="001")).timeline)
    assert found["turns.speech-detected"] == Outcome.NOT_APPLICABLE
    assert not {id_ for id_, outcome in found.items() if outcome == Outcome.FAILED} - {
        # Nobody can hang up in the dark; the upstream has to notice.
        "lifecycle.hang-up-releases-call"
    }


async def test_a_call_goes_on_after_rebinding(context: CallContext) -> None:
    async def walks_out(caller: Caller) -> None:
        await caller.connect()
        await caller.network.rebind()
        await caller.say("en-m-yes")
        await caller.hear_reply()
        await caller.hang_up()

    timeline = (await make_call(context, scenario_of(walks_out), call="001")).timeline
    rebound = timeline.first(NetworkImpaired)
    assert rebound is not None
    assert (rebound.name, rebound.followed) == ("rebind", True)
    assert timeline.server_events("response.done")
    assert timeline.first(StateChanged, where=lambda e: e.state == "failed") is None
    assert Outcome.FAILED not in outcomes(timeline).values()


async def test_an_unknown_impairment_is_refused_before_anything_is_started() -> None:
    with pytest.raises(UsageError, match="no impairment 'trian'"):
        async with CallContext.open(run_settings(seed=5, impairment="trian"), EmbeddedPair.for_run):
            pass
