"""How often each scenario is called, and which are not: with calls that were made before."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from msgspec.structs import replace

from harness.call import Caller, Scenario
from harness.call.conduct import CallRecord, Watch
from harness.call.context import CallContext
from harness.config.run import run_settings
from harness.core.events import CallStarted, Event
from harness.requirements.registry import REGISTRY
from harness.run.engine import Planned, execute
from harness.run.least import Occasions
from harness.run.model import Run
from tests.support.timelines import healthy_events, timeline_of

RULE = "turns.response-completes"
HEALTHY = healthy_events()
NO_REPLY: list[Event] = HEALTHY[:12]


async def plan(_caller: Caller) -> None: ...


def planned(name: str, *, lasts: float = 10.0, named: tuple[str, ...] = ()) -> Planned:
    scenario = Scenario(name, "A call.", plan, ("turns",), named, lasts=lasts)
    return Planned(scenario, (REGISTRY.get(RULE),))


async def run(
    plans: Iterable[Planned], *, silent: tuple[str, ...] = (), times: int = 1, least: Occasions | None = None
) -> Run:
    """`silent`: the scenarios whose call gives the rule no occasion."""

    async def place(context: CallContext, scenario: Scenario, *, call: str, watch: Watch) -> CallRecord:
        del context, watch
        started, *rest = NO_REPLY if scenario.name in silent else HEALTHY
        assert isinstance(started, CallStarted)
        events = [replace(started, call=call, scenario=scenario.name), *rest]
        return CallRecord(scenario, timeline_of(events), np.zeros(0, np.int16))

    settings = run_settings(target="http://127.0.0.1:9/offer", seed=1)
    return await execute(settings, list(plans), lambda _: None, place=place, times=times, least=least)


async def made(*plans: Planned, **options: object) -> list[str]:
    found = await run(plans, **options)  # type: ignore[arg-type]  # those of `run`
    return [call.scenario for call in found.calls]


async def test_each_scenario_is_called_as_often_as_asked_and_each_call_is_judged() -> None:
    found = await run([planned("one"), planned("two")], times=3)
    assert [call.scenario for call in found.calls] == ["one"] * 3 + ["two"] * 3
    assert len({call.id for call in found.calls}) == 6
    assert [v.scenario for v in found.verdicts].count("one") == 3


@pytest.mark.parametrize(
    ("silent", "calls"),
    [
        ((), ["short"]),
        (("short",), ["short", "long"]),
        (("short", "long"), ["short", "long"]),
    ],
)
async def test_no_call_is_made_once_all_is_judged(silent: tuple[str, ...], calls: list[str]) -> None:
    found = await made(planned("long", lasts=30), planned("short"), silent=silent, least=())
    assert sorted(found) == sorted(calls)


async def test_what_an_earlier_run_judged_there_goes_first_then_what_is_written_for_it() -> None:
    plans = planned("long", lasts=30), planned("short"), planned("meant", lasts=60, named=(RULE,))
    assert await made(*plans, least=()) == ["meant"]
    assert await made(*plans, least={("long", RULE)}) == ["long"]


async def test_the_fewest_calls_are_repeated_as_well() -> None:
    assert await made(planned("one"), planned("two"), least=(), times=3) == ["one"] * 3
