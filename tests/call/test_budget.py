from __future__ import annotations

import asyncio

from msgspec.structs import replace

from harness.call.budget import Budget
from harness.core.events import CallStarted
from harness.core.prices import Price
from harness.core.timeline import Timeline
from harness.requirements.bills import call_cost_usd
from tests.support.editing import told
from tests.support.timelines import healthy_call, healthy_events, timeline_of

COST = call_cost_usd(healthy_call()) or 0.0
SILENT_CALL = Timeline()


def per_run(calls: float) -> Budget:
    """Enough for so many calls like the healthy one."""
    return Budget({"cost_per_run_usd": calls * COST})


async def placed(budget: Budget, timeline: Timeline | None = None) -> None:
    assert await budget.admit() == ""
    budget.charge(healthy_call() if timeline is None else timeline)


async def test_without_a_limit_every_call_may_be_placed_at_once() -> None:
    budget = Budget({})
    assert [await budget.admit() for _ in range(100)] == [""] * 100


async def test_a_call_that_could_take_the_run_beyond_its_budget_is_not_placed() -> None:
    budget = per_run(2.5)
    await placed(budget)
    await placed(budget)
    refusal = await budget.admit()
    assert f"{2 * COST:.4f} of {2.5 * COST:g} USD are spent" in refusal
    assert f"up to {COST:.4f} USD" in refusal


async def test_the_first_call_is_made_alone_since_nobody_knows_yet_what_one_costs() -> None:
    budget = per_run(10)
    assert await budget.admit() == ""
    second = asyncio.ensure_future(budget.admit())
    await asyncio.sleep(0)
    assert not second.done()
    budget.charge(healthy_call())
    assert await second == ""
    assert await budget.admit() == "", "the third need not wait"


async def test_a_call_without_a_response_says_nothing_of_what_one_costs() -> None:
    budget = per_run(1.5)
    await placed(budget, SILENT_CALL)
    assert await budget.admit() == ""
    second = asyncio.ensure_future(budget.admit())
    await asyncio.sleep(0)
    assert not second.done()
    budget.charge(healthy_call())
    assert await second != ""


async def test_calls_side_by_side_keep_the_budget_together() -> None:
    """A call under way is assumed to cost as much as the most expensive one, until its cost is known."""
    budget = per_run(3.5)
    await placed(budget)
    assert await budget.admit() == ""
    assert await budget.admit() == ""
    waiting = asyncio.ensure_future(budget.admit())
    await asyncio.sleep(0)
    assert not waiting.done(), "refused only once nothing can change it"
    budget.charge(SILENT_CALL)
    assert await waiting == ""
    last = asyncio.ensure_future(budget.admit())
    budget.charge(healthy_call())
    budget.charge(healthy_call())
    assert await last != ""


async def test_a_call_that_comes_to_nothing_gives_its_place_back() -> None:
    budget = per_run(2.5)
    await placed(budget)
    assert await budget.admit() == ""
    budget.charge()
    assert await budget.admit() == ""


async def test_after_a_call_that_cost_too_much_no_other_is_placed() -> None:
    budget = Budget({"cost_per_call_usd": COST / 2})
    await placed(budget)
    assert f"a call cost {COST:.4f} USD, and one may cost" in await budget.admit()


def of_nobodys_model() -> Timeline:
    events = healthy_events()
    for told_by in ("session.created", "session.updated"):
        events = told(events, told_by, lambda e: e["session"].update(model="a-model-of-nobody"))
    return timeline_of(events)


async def test_a_model_without_a_price_is_counted_as_the_dearest_and_said_so_once() -> None:
    lines: list[str] = []
    budget = Budget({"cost_per_run_usd": 2.5 * COST}, lines.append)
    await placed(budget, of_nobodys_model())
    assert len(lines) == 1
    assert '[targets.NAME.prices."a-model-of-nobody"] takes one; the budget counts it as gpt-' in lines[0]
    await placed(budget, of_nobodys_model())
    assert len(lines) == 1
    assert "are spent" in await budget.admit()


async def test_a_price_of_ones_own_keeps_the_budget() -> None:
    started, *events = of_nobodys_model()
    assert isinstance(started, CallStarted)
    own = replace(started, prices={"a-model-of-nobody": Price(audio_in=1e6)})
    lines: list[str] = []
    budget = Budget({"cost_per_call_usd": 1.0}, lines.append)
    await placed(budget, timeline_of([own, *events]))
    assert "a call cost" in await budget.admit()
    assert not lines


async def test_when_it_is_closed_no_call_is_placed_whatever_is_left() -> None:
    budget = Budget({})
    assert await budget.admit() == ""
    budget.close("the target hangs")
    assert await budget.admit() == "the target hangs"
    assert budget.is_closed
