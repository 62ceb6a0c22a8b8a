"""How OpenAI's events look, as a table that `python -m tools.event_types` takes from the official package.

A shape is the name of a scalar (`str`, `int`, `float`, `bool`, `null`, `any`), or one of `{"one_of": words}`,
`{"list": shape}`, `{"dict": shape of its values}`, `{"object": name}` and `{"either": shapes}`. An object is
a shape for each field, `{"required": shape}` where it may not be absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pkgutil import get_data
from typing import Any, Literal, NamedTuple

import msgspec

Shape = str | dict[str, Any]

FlawKind = Literal["missing", "extra", "type", "value"]

# What tells the members of an `either` apart.
TAGS = ("type", "role")

_SCALARS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "a valid string"),
    "int": ((int,), "a valid integer"),
    "float": ((int, float), "a valid number"),
    "bool": ((bool,), "a valid boolean"),
    "null": ((type(None),), "null"),
}


class EventTypes(msgspec.Struct, frozen=True):
    """Event type → the name of its object, for those that servers and clients send; and all objects."""

    source: str
    server: dict[str, str]
    client: dict[str, str]
    live_client: dict[str, str]
    live_session: str
    objects: dict[str, dict[str, Shape]]


class Flaw(NamedTuple):
    """The first field that an official type does not accept; `expected`: the words it may be, if few."""

    path: str
    kind: FlawKind
    message: str
    expected: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


@cache
def event_types() -> EventTypes:
    """The table."""
    return msgspec.json.decode(get_data(__package__, "event_types.json") or b"", type=EventTypes)


def flaw_in(name: str, value: object, path: str = "") -> Flaw | None:
    """The first field that is absent, or of another kind than in the object of this name. Extra ones pass."""
    return _flaw({"object": name}, value, path)


def extra_fields(name: str, value: object, path: str = "") -> Iterator[str]:
    """Paths of the fields that the object of this name does not have, at any depth. `value` has no flaw."""
    return _extras({"object": name}, value, path)


def _flaw(shape: Shape, value: object, path: str) -> Flaw | None:
    match shape:
        case "any":
            return None
        case str():
            return _scalar_flaw(shape, value, path)
        case {"one_of": words}:
            fits = any(value == word and type(value) is type(word) for word in words)
            return None if fits else _not_among(words, path)
        case {"list": of}:
            return _list_flaw(of, value, path)
        case {"dict": of}:
            names = value if isinstance(value, dict) else ()
            return _object_flaw({name: of for name in names}, value, path)  # noqa: C420  (fromkeys loses the type)
        case {"object": str(name)}:
            return _object_flaw(event_types().objects[name], value, path)
        case {"either": shapes}:
            return _either_flaw(shapes, value, path)
    raise ValueError(f"{shape!r} is no shape")


def _scalar_flaw(name: str, value: object, path: str) -> Flaw | None:
    kinds, told = _SCALARS[name]
    fits = isinstance(value, kinds) and (name == "bool" or not isinstance(value, bool))
    return None if fits else Flaw(path or "event", "type", f"input should be {told}")


def _not_among(words: Sequence[str | int], path: str) -> Flaw:
    told = " or ".join(filter(None, [", ".join(map(repr, words[:-1])), repr(words[-1])]))
    return Flaw(path or "event", "value", f"input should be {told}", tuple(map(str, words)))


def _list_flaw(of: Shape, value: object, path: str) -> Flaw | None:
    if not isinstance(value, list):
        return Flaw(path or "event", "type", "input should be a valid list")
    found = (_flaw(of, each, f"{path}[{index}]") for index, each in enumerate(value))
    return next((flaw for flaw in found if flaw is not None), None)


def _object_flaw(fields: Mapping[str, Shape], value: object, path: str) -> Flaw | None:
    if not isinstance(value, dict):
        return Flaw(path or "event", "type", "input should be an object")
    for name, shape in fields.items():
        inner, required = _required(shape)
        if name in value:
            flaw = _flaw(inner, value[name], _below(path, name))
            if flaw is not None:
                return flaw
        elif required:
            return Flaw(_below(path, name), "missing", "field required")
    return None


def _either_flaw(shapes: Sequence[Shape], value: object, path: str) -> Flaw | None:
    """That of the first member which the value's own `type` and `role` do not rule out."""
    flaws = []
    for shape in shapes:
        flaw = _flaw(shape, value, path)
        if flaw is None:
            return None
        if shape != "null":
            flaws.append((shape, flaw))
    telling = [flaw for shape, flaw in flaws if not _ruled_out_by(shape, value)]
    if telling:
        return telling[0]
    # Every member is ruled out: none has this `type`, or none of that type this `role`.
    tags = [tag for tag in TAGS if any(_ruled_out_by(shape, value) == tag for shape, _ in flaws)]
    tag = tags[-1]
    shapes_of_tag = [shape for shape, _ in flaws if _ruled_out_by(shape, value) == tag]
    words = sorted({word for shape in shapes_of_tag for word in _words(shape, tag)})
    below = _below(path, tag)
    is_missing = isinstance(value, dict) and tag not in value
    return Flaw(below, "missing", "field required") if is_missing else _not_among(words, below)


def _ruled_out_by(shape: Shape, value: object) -> str:
    """The tag by which the value cannot be of this shape; empty where it may be."""
    if not isinstance(value, dict):
        return ""
    for tag in TAGS:
        words = _words(shape, tag)
        is_absent = tag not in value and not _is_required(shape, tag)
        if words and value.get(tag) not in words and not is_absent:
            return tag
    return ""


def _words(shape: Shape, tag: str) -> list[str]:
    """What the tag of an object may be; empty where it has none."""
    field = _fields(shape).get(tag)
    if field is None:
        return []
    inner, _ = _required(field)
    alternatives = inner["either"] if isinstance(inner, dict) and "either" in inner else [inner]
    return [word for each in alternatives if isinstance(each, dict) for word in each.get("one_of", ())]


def _is_required(shape: Shape, name: str) -> bool:
    return _required(_fields(shape).get(name, "any"))[1]


def _fields(shape: Shape) -> Mapping[str, Shape]:
    if isinstance(shape, dict) and "object" in shape:
        return event_types().objects[shape["object"]]
    return {}


def _required(shape: Shape) -> tuple[Shape, bool]:
    """A field's shape, and whether it may not be absent."""
    if isinstance(shape, dict) and "required" in shape:
        return shape["required"], True
    return shape, False


def _extras(shape: Shape, value: object, path: str) -> Iterator[str]:
    match shape:
        case {"object": str(name)} if isinstance(value, dict):
            fields = event_types().objects[name]
            yield from (_below(path, each) for each in value if each not in fields)
            for each, of in fields.items():
                if each in value:
                    yield from _extras(_required(of)[0], value[each], _below(path, each))
        case {"list": of} if isinstance(value, list):
            for index, each in enumerate(value):
                yield from _extras(of, each, f"{path}[{index}]")
        case {"dict": of} if isinstance(value, dict):
            for name, each in value.items():
                yield from _extras(of, each, _below(path, name))
        case {"either": shapes}:
            fitting = [list(_extras(s, value, path)) for s in shapes if _flaw(s, value, path) is None]
            yield from min(fitting, key=len, default=[])


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else str(name)
