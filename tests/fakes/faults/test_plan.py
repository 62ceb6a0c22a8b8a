from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.core.errors import UsageError
from harness.fakes.faults.plan import FaultPlan
from harness.fakes.faults.registry import Contract, FaultRegistry


@pytest.fixture
def plan() -> FaultPlan:
    registry = FaultRegistry("party")
    silly: Contract[Callable[[], None]] = Contract(registry)
    silly.fault("deaf", "Hears nothing", stage="vad")(lambda: None)
    silly.fault("slow", "Is slow", stage="http", default=1.5)(lambda: None)
    return FaultPlan(registry, seed=7)


def test_a_planned_fault_hits_every_call_until_it_is_removed(plan: FaultPlan) -> None:
    plan.add("slow", 2)
    assert [plan.take(None).get("slow"), plan.take("abcd").get("slow")] == [2.0, 2.0]
    assert plan.remove("slow")
    assert not plan.remove("slow")
    assert plan.take(None).get("slow") is None


def test_a_fault_for_two_calls_spares_the_third(plan: FaultPlan) -> None:
    plan.add("deaf", calls=2)
    assert ["deaf" in plan.take("x") for _ in range(3)] == [True, True, False]


def test_a_fault_for_one_ufrag_hits_that_call_only_and_once(plan: FaultPlan) -> None:
    plan.add("deaf", ufrag="mine")
    assert "deaf" not in plan.take("other")
    assert "deaf" in plan.take("mine")
    assert "deaf" not in plan.take("mine")


def test_a_fault_meant_for_the_call_outranks_the_one_for_all(plan: FaultPlan) -> None:
    plan.add("slow", 9, ufrag="mine")
    plan.add("slow", 1)
    assert plan.take("mine").get("slow") == 9.0


def test_the_value_off_exempts_a_call(plan: FaultPlan) -> None:
    plan.add("deaf")
    plan.add("deaf", "off", ufrag="spared")
    assert not plan.take("spared")
    assert plan.take("other")


def test_planning_a_fault_again_replaces_it(plan: FaultPlan) -> None:
    plan.add("slow", 1)
    plan.add("slow", 2)
    assert [planned.value for planned in plan] == [2.0]


def test_chance_is_replayed_by_the_seed_and_the_order_of_calls() -> None:
    def draws() -> list[float]:
        registry = FaultRegistry("party")
        Contract[Callable[[], None]](registry).fault("loss", "Loses", stage="audio", default=0.1)(
            lambda: None
        )
        plan = FaultPlan(registry, seed=7, faults=["loss"])
        return [plan.take(None).random("loss").random() for _ in range(2)]

    first, second = draws(), draws()
    assert first == second
    assert first[0] != first[1]


def test_clearing_leaves_nothing_planned(plan: FaultPlan) -> None:
    plan.add("deaf")
    plan.add("slow", ufrag="x")
    plan.clear()
    assert list(plan) == []


@pytest.mark.parametrize("calls", [0, -1, True])
def test_a_senseless_number_of_calls_is_refused(plan: FaultPlan, calls: int) -> None:
    with pytest.raises(UsageError, match="cannot hit"):
        plan.add("deaf", calls=calls)


def test_a_name_that_ends_in_a_star_is_of_every_call_that_begins_so(plan: FaultPlan) -> None:
    plan.add("deaf", ufrag="abcd*")
    assert "deaf" in plan.take("abcd")
    assert "deaf" in plan.take("abcd+1")  # and again: it is not over with one call
    assert not plan.take("abce")
    assert not plan.take(None)
    assert plan.remove("deaf", ufrag="abcd*")
    assert not plan.take("abcd")
