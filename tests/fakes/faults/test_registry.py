from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.fakes.faults.registry import Contract, FaultRegistry


@pytest.fixture
def registry() -> FaultRegistry:
    registry = FaultRegistry("party")
    silly: Contract[Callable[[], None]] = Contract(registry)
    silly.fault("deaf", "Hears nothing", stage="vad")(lambda: None)
    silly.fault("slow", "Is slow", stage="http", default=1.5, value_help="seconds")(lambda: None)
    silly.fault("half", "Plays a part", stage="audio", default=50, value_help="percent")(lambda: None)
    silly.fault("error", "Fails", stage="response", default="quota", value_help="a code")(lambda: None)
    return registry


def test_a_decorated_unit_is_registered_and_left_as_it_was() -> None:
    registry = FaultRegistry("party")
    doubling: Contract[Callable[[float], float]] = Contract(registry)

    @doubling.fault("late", "Comes late", stage="channel", default=2.0)
    def late(seconds: float) -> float:
        return seconds * 2

    assert registry.named("late").unit is late
    assert late(2.0) == 4.0
    assert [fault.name for fault in registry] == ["late"]


def test_a_name_is_taken_only_once(registry: FaultRegistry) -> None:
    with pytest.raises(ValueError, match="two faults named deaf"):
        Contract[Callable[[], None]](registry).fault("deaf", "Again", stage="vad")(lambda: None)


def test_an_unknown_name_is_refused_with_the_nearest(registry: FaultRegistry) -> None:
    with pytest.raises(UsageError, match=r"no fault named 'daef'.*did you mean deaf"):
        registry.named("daef")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("deaf", True),
        ("deaf=off", False),
        ("slow", 1.5),
        ("slow=3", 3.0),
        ("half = 20", 20),
        ("error=rate_limit", "rate_limit"),
        ("error=a=b", "a=b"),
    ],
)
def test_a_command_line_text_gives_the_value_in_the_type_of_the_default(
    registry: FaultRegistry, text: str, value: object
) -> None:
    _, given_value = registry.parse(text)
    assert given_value == value
    assert type(given_value) is type(value)


@pytest.mark.parametrize(
    "text", ["deaf=maybe", "slow=soon", "slow=-1", "slow=nan", "slow=inf", "half=2.5", "half="]
)
def test_a_value_of_another_type_is_refused_by_name(registry: FaultRegistry, text: str) -> None:
    with pytest.raises(UsageError, match=text.partition("=")[0]):
        registry.parse(text)


@given(text=st.text())
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    registry = FaultRegistry("party")
    Contract[Callable[[], None]](registry).fault("slow", "Is slow", stage="http", default=1.5)(lambda: None)
    for candidate in (text, f"slow={text}"):
        with contextlib.suppress(UsageError):
            assert registry.parse(candidate)[0].name == "slow"


def test_units_are_found_again_by_their_contract_and_by_no_other() -> None:
    registry = FaultRegistry("party")
    numbers: Contract[Callable[[], int]] = Contract(registry)
    words: Contract[Callable[[], str]] = Contract(registry)
    numbers.fault("one", "Says one", stage="http")(lambda: 1)
    words.fault("two", "Says two", stage="http", default=2.0)(lambda: "two")
    planned = [registry.parse("one"), registry.parse("two=3"), registry.parse("one=off")]
    assert [(unit(), value, name) for unit, value, name in numbers.met(planned)] == [(1, True, "one")]
    assert [(unit(), value, name) for unit, value, name in words.met(planned)] == [("two", 3.0, "two")]
