from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.strict_json import DEEPEST, json_object


def nested(levels: int, opening: str = '{"a":', closing: str = "}") -> str:
    return opening * (levels - 1) + "{}" + closing * (levels - 1)


def test_an_object_is_read() -> None:
    assert json_object('{"type": "session.created", "n": [1, {"b": null}]}') == {
        "type": "session.created",
        "n": [1, {"b": None}],
    }


@pytest.mark.parametrize("text", ["", "[]", "null", '"text"', "{", '{"a": NaN}', '{"a": -Infinity}', "\x00"])
def test_what_is_no_object_is_none(text: str) -> None:
    assert json_object(text) is None


def test_nesting_is_read_up_to_a_depth_and_no_deeper() -> None:
    assert json_object(nested(DEEPEST)) is not None
    assert json_object(nested(DEEPEST + 1)) is None
    assert json_object('{"a":' + "[" * 500 + "]" * 500 + "}") is None
    assert json_object(nested(100_000)) is None


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    json_object(text)
