"""Arbitrary events of every kind, made from the declarations in `harness.core.events` themselves."""

from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from harness.core.events import AnyEvent, Event

KINDS: tuple[type[Event], ...] = get_args(AnyEvent)

texts = st.text(max_size=8)
numbers = st.floats(-1e9, 1e9)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)

_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    bool: st.booleans(),
    bytes: st.binary(max_size=8),
    int: st.integers(-(2**63), 2**63 - 1),
    float: numbers,
    NoneType: st.none(),
    Any: json_values,
}


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type as events declare their fields."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of(*map(of_type, arguments))
    if origin is dict:
        return st.dictionaries(of_type(arguments[0]), of_type(arguments[1]), max_size=3)
    if origin is tuple and arguments[-1] is ...:
        return st.lists(of_type(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(of_type, arguments))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return structs(kind)
    raise TypeError(f"no strategy for {kind}")


def structs(kind: type[msgspec.Struct], **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Instances of a struct with all its fields."""
    strategies = {field.name: of_type(field.type) for field in msgspec.structs.fields(kind)} | fixed
    return st.fixed_dictionaries(strategies).map(lambda values: kind(**values))


# Whole microseconds, which is what a timeline keeps when it is written.
moments = st.integers(0, 10**9).map(lambda microseconds: microseconds / 1e6)


@cache
def events(kind: type[Event]) -> st.SearchStrategy[Event]:
    """Events of one kind."""
    return structs(kind, at=moments)


any_events = st.sampled_from(KINDS).flatmap(events)
