from __future__ import annotations

from harness.config.offers import shape_in_turn
from harness.core.offer_shapes import OFFER_SHAPES


def test_calls_take_every_shape_in_turn_and_a_seed_repeats_them() -> None:
    calls = [f"{number:03d}-two_turns" for number in range(1, 11)]
    shapes = [shape_in_turn(7, call) for call in calls]
    assert set(shapes[:5]) == set(OFFER_SHAPES)
    assert shapes[5:] == shapes[:5]
    assert shapes == [shape_in_turn(7, call) for call in calls]
    assert len({tuple(shape_in_turn(seed, call) for call in calls[:5]) for seed in range(20)}) > 1


def test_the_next_call_of_one_caller_has_the_next_shape() -> None:
    assert shape_in_turn(7, "003-reconnect-2") == shape_in_turn(7, "005-x")


def test_digits_in_a_scenarios_name_are_no_number_of_a_call() -> None:
    assert shape_in_turn(7, "003-say_2_things") == shape_in_turn(7, "003")
