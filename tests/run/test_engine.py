"""One run through the embedded pair, observed: many assertions, one set of calls."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from harness.call import Caller, Scenario, scenario
from harness.call.conduct import CallRecord, Watch, make_call
from harness.call.context import CallContext
from harness.config.run import run_settings
from harness.core.events import CallEnded
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.requirements.model import Outcome
from harness.requirements.registry import REGISTRY
from harness.run.engine import Planned, execute
from harness.run.model import Run, RunVerdict
from harness.run.stream import (
    CallFinished,
    Happening,
    Judged,
    RunEnded,
    RunStarted,
    StageReached,
)


def named(name: str) -> Scenario:
    """A caller who connects and hangs up."""

    @scenario(areas=("signaling", "connectivity"))
    async def connects(caller: Caller) -> None:
        """A caller connects and hangs up."""
        await caller.connect()
        await caller.hang_up()

    return Scenario(name, connects.title, connects.plan, connects.areas)


def planned(name: str, *ids: str) -> Planned:
    return Planned(named(name), tuple(REGISTRY.select(ids=ids, areas=("signaling", "connectivity", "cost"))))


@dataclass(frozen=True)
class Observed:
    """A run and everything that was told of it."""

    run: Run
    told: list[Happening]

    def of(self, kind: type[Happening]) -> list[Happening]:
        return [happening for happening in self.told if isinstance(happening, kind)]


@pytest.fixture(scope="module")
def observed() -> Observed:
    told: list[Happening] = []
    run = asyncio.run(execute(run_settings(seed=1), [planned("one"), planned("two")], told.append))
    return Observed(run, told)


def test_a_run_is_told_from_its_start_to_its_end(observed: Observed) -> None:
    first, *_, last = observed.told
    assert isinstance(first, RunStarted)
    assert (first.calls, first.mode, first.seed) == (2, "embedded", 1)
    assert last == RunEnded(observed.run)
    assert observed.run.verdict == RunVerdict.CONFORMING


def test_every_call_is_told_when_it_ends_and_judged_after_the_last(observed: Observed) -> None:
    kinds = [type(each) for each in observed.told if isinstance(each, CallFinished | Judged)]
    assert kinds[:2] == [CallFinished, CallFinished]
    assert set(kinds[2:]) == {Judged}


def test_each_stage_of_each_call_is_told_once(observed: Observed) -> None:
    stages = [(each.scenario, each.check.name) for each in observed.told if isinstance(each, StageReached)]
    assert len(stages) == len(set(stages))
    for name in ("one", "two"):
        reached = [stage for scenario_name, stage in stages if scenario_name == name]
        assert reached[:2] == ["candidates gathered", "offer sent"]
        assert "data channel open" in reached


def test_what_was_told_is_what_the_run_holds(observed: Observed) -> None:
    assert tuple(each.verdict for each in observed.told if isinstance(each, Judged)) == observed.run.verdicts
    assert [call.scenario for call in observed.run.calls] == ["one", "two"]
    assert {v.outcome for v in observed.run.verdicts} <= {
        Outcome.PASSED, Outcome.OBSERVED, Outcome.NOT_APPLICABLE, Outcome.INCONCLUSIVE
    }  # fmt: skip


def test_a_requirement_over_calls_is_judged_once(observed: Observed) -> None:
    over = [r.id for r in REGISTRY.select(areas=("cost",)) if r.over == "calls"]
    assert over
    assert sorted(v.id for v in observed.run.verdicts if not v.call) == sorted(over)


async def test_where_nobody_answers_one_call_is_made_and_the_run_is_unreachable() -> None:
    settings = run_settings(target="http://127.0.0.1:9/offer", seed=1)
    told: list[Happening] = []
    run = await execute(settings, [planned("one"), planned("two")], told.append)
    assert run.verdict == RunVerdict.UNREACHABLE
    assert run.unreachable.startswith("refused")
    assert [call.scenario for call in run.calls] == ["one"]
    assert told[-1] == RunEnded(run)


async def test_a_run_that_is_cut_short_is_judged_as_far_as_it_came() -> None:
    told: list[Happening] = []
    begun = asyncio.Event()

    async def place(context: CallContext, scenario: Scenario, *, call: str, watch: Watch) -> CallRecord:
        if scenario.name == "two":
            begun.set()
            await asyncio.Event().wait()
        return await make_call(context, scenario, call=call, watch=watch)

    with EmbeddedPair(EmbeddedOptions()) as pair:
        settings = run_settings(seed=1, concurrency=1).with_pair(pair.offer_url, pair.fake)
        running = asyncio.create_task(
            execute(settings, [planned("one"), planned("two")], told.append, place=place)
        )
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    ended = told[-1]
    assert isinstance(ended, RunEnded)
    assert ended.run.interrupted
    assert [call.scenario for call in ended.run.calls] == ["one"]
    assert ended.run.verdict == RunVerdict.INCONCLUSIVE
    assert any(verdict.outcome == Outcome.PASSED for verdict in ended.run.verdicts)


async def test_calls_judged_as_they_end_have_their_verdicts_before_they_are_told() -> None:
    told: list[Happening] = []
    with EmbeddedPair(EmbeddedOptions()) as pair:
        settings = run_settings(seed=1).with_pair(pair.offer_url, pair.fake)
        run = await execute(settings, [planned("one")], told.append, as_they_end=True)
    kinds = [type(each) for each in told if isinstance(each, CallFinished | Judged)]
    assert kinds.index(CallFinished) > kinds.index(Judged)
    judged = [each.verdict.id for each in told if isinstance(each, Judged)]
    assert len(judged) == len(set(judged)) == len(run.verdicts)


async def test_a_check_that_refuses_keeps_the_run_from_sending_anything() -> None:
    def check(context: CallContext) -> None:
        raise ValueError(context.settings.mode)

    told: list[Happening] = []
    settings = run_settings(target="http://127.0.0.1:9/offer", seed=1)
    with pytest.raises(ValueError, match="black-box"):
        await execute(settings, [planned("one")], told.append, check=check)
    assert told == []


def test_a_call_of_the_run_ends_as_any_other(observed: Observed) -> None:
    for call in observed.run.calls:
        ended = call.timeline.last(CallEnded)
        assert ended is not None
        assert ended.reason == "the scenario ran to its end"
