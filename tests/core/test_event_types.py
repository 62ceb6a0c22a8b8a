"""The table of OpenAI's events against the package that it was taken from."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import BaseModel, TypeAdapter, ValidationError

from harness.core.event_types import event_types, extra_fields, flaw_in
from tools import event_types as taken


def test_the_table_is_what_the_installed_package_says() -> None:
    assert taken.TABLE.read_text(encoding="utf-8") == taken.table(), "run python -m tools.event_types"


def test_every_object_that_is_named_is_there() -> None:
    table = event_types()
    named = [*table.server.values(), *table.client.values(), *table.live_client.values(), table.live_session]
    of_fields = [shape for fields in table.objects.values() for shape in fields.values()]
    named += [shape["object"] for shape in shapes(of_fields) if "object" in shape]
    assert set(named) == set(table.objects)


def shapes(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from shapes(each)
    elif isinstance(value, list):
        for each in value:
            yield from shapes(each)


VALUES = st.sampled_from([None, True, 0, 7, 1.5, "", "type", "message", "user", [], [3], {}, {"type": "x"}])


@st.composite
def events(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An event that the table allows, and then perhaps something of it replaced, taken away or added."""
    table = event_types()
    side = draw(st.sampled_from(["server", "client"]))
    kind = draw(st.sampled_from(sorted(getattr(table, side))))
    made = draw(values_of({"object": getattr(table, side)[kind]}, 5))
    assert isinstance(made, dict)
    for _ in range(draw(st.integers(0, 2))):
        _spoil(draw, made)
    return side, {**made, "type": kind}


def values_of(shape: Any, depth: int) -> st.SearchStrategy[Any]:
    """Values of a shape; what need not be there is left out below some depth."""
    match shape:
        case "str":
            return st.text(max_size=3)
        case "int":
            return st.integers(0, 9)
        case "float":
            return st.floats(0, 1) | st.integers(0, 1)
        case "bool":
            return st.booleans()
        case "null":
            return st.none()
        case "any":
            return st.none() | st.just({"a": 1})
        case {"one_of": words}:
            return st.sampled_from(words)
        case {"list": of}:
            return st.lists(values_of(of, depth - 1), max_size=2 if depth > 0 else 0)
        case {"dict": of}:
            return st.dictionaries(st.text(max_size=2), values_of(of, depth - 1), max_size=1)
        case {"either": either}:
            return st.one_of([values_of(each, depth - 1) for each in either])
        case {"object": name}:
            fields = event_types().objects[name]
            required = {
                n: s["required"] for n, s in fields.items() if isinstance(s, dict) and "required" in s
            }
            others = {n: s for n, s in fields.items() if n not in required} if depth > 0 else {}
            return st.deferred(
                lambda: st.fixed_dictionaries(
                    {n: values_of(s, depth - 1) for n, s in required.items()},
                    optional={n: values_of(s, depth - 1) for n, s in others.items()},
                )
            )
    raise AssertionError(shape)


def _spoil(draw: st.DrawFn, value: Any) -> None:
    while isinstance(value, dict | list) and value:
        keys = sorted(value) if isinstance(value, dict) else list(range(len(value)))
        key = draw(st.sampled_from(keys))
        inner = value[key]
        if isinstance(inner, dict | list) and inner and draw(st.booleans()):
            value = inner
            continue
        how = draw(st.sampled_from(["replace", "remove", "add"]))
        if how == "remove":
            del value[key]
        elif how == "add" and isinstance(value, dict):
            value["added"] = draw(VALUES)
        else:
            value[key] = draw(VALUES)
        return


@cache
def adapters(side: str) -> dict[str, TypeAdapter[BaseModel]]:
    union = RealtimeServerEvent if side == "server" else RealtimeClientEvent
    classes = union.__origin__.__args__  # type: ignore[attr-defined]  # an Annotated of a Union
    return {c.model_fields["type"].annotation.__args__[0]: TypeAdapter(c) for c in classes}


@given(events())
def test_what_the_packages_own_models_refuse_is_refused_and_nothing_else(
    drawn: tuple[str, dict[str, Any]],
) -> None:
    side, event = drawn
    name = getattr(event_types(), side)[event["type"]]
    parsed, error = None, ""
    try:
        parsed = adapters(side)[event["type"]].validate_python(copy.deepcopy(event), strict=True)
    except ValidationError as refused:
        error = str(refused)
    assert (flaw_in(name, event) is not None) == (parsed is None), error
    if parsed is not None:
        assert sorted(extra_fields(name, event)) == sorted(model_extras(parsed))


def model_extras(value: object, path: str = "") -> Iterator[str]:
    """What the package's models took without having a field for it."""
    if isinstance(value, BaseModel):
        for name in value.model_extra or {}:
            yield f"{path}.{name}" if path else name
        for name in type(value).model_fields:
            yield from model_extras(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, BaseModel):
                yield from model_extras(item, f"{path}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from model_extras(item, f"{path}[{index}]")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"type": "audio/pcm", "rate": 24000}, None),
        ({"type": "audio/pcm", "rate": 8000}, "format.rate: input should be 24000"),
        ({"type": "audio/mp3"}, "format.type: input should be 'audio/pcm', 'audio/pcma' or 'audio/pcmu'"),
        ("pcm16", "format: input should be an object"),
    ],
)
def test_the_members_that_a_values_own_type_rules_out_say_nothing(value: object, said: str | None) -> None:
    session = {"type": "realtime", "audio": {"input": {"format": value}}}
    flaw = flaw_in("SessionUpdateEvent", {"type": "session.update", "session": session})
    assert (flaw and str(flaw)) == (said and f"session.audio.input.{said}")


def test_the_table_is_small_and_says_where_it_is_from() -> None:
    text = Path(taken.TABLE).read_text(encoding="utf-8")
    assert len(text) < 200_000
    assert "openai-python 3." in json.loads(text)["source"]
