from __future__ import annotations

from typing import Any

import pytest

from harness.core.fields import field, items, number, table, tables, text

ODD: list[Any] = [None, True, 0, 1.5, 10**400, "", "text", [], [1, None, {}], {}, {"a": [1]}]


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_whoever_asks_for_a_type_gets_it(value: Any) -> None:
    for data in ({"a": {"b": value}}, {"a": value}, value):
        assert isinstance(text(data, "a", "b"), str)
        assert isinstance(table(data, "a", "b"), dict)
        assert isinstance(items(data, "a", "b"), list)
        assert all(isinstance(each, dict) for each in tables(data, "a", "b"))
        found = number(data, "a", "b")
        assert found is None or isinstance(found, float)
        field(data, "a", "b")


def test_what_is_of_the_type_is_given_as_it_is() -> None:
    data = {"a": {"text": "x", "number": 3, "list": [1, {"b": 2}]}}
    assert text(data, "a", "text") == "x"
    assert number(data, "a", "number") == 3.0
    assert tables(data, "a", "list") == [{"b": 2}]
    assert text(data, "a", "number") == ""
    assert number({"a": True}, "a") is None
