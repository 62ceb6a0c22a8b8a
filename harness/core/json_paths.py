"""Places in a JSON value, as dotted paths: `data.answer.sdp`, `items.0.id`; `.` is the value itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from harness.core.sdp import parse_sdp

WHOLE = "."
_DEEPEST = 32  # levels that are looked into: what lies deeper was not put there to be found
_MOST = 2_000  # values that are looked at


def at(value: object, path: str) -> object:
    """The value at the path; a number picks from a list. Raises LookupError where there is none."""
    if path == WHOLE:
        return value
    for part in path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise LookupError(path)
    return value


def put(into: Mapping[str, object], path: str, value: object) -> dict[str, object]:
    """A copy of an object with the value at the path; what stands in the way makes room."""
    name, _, rest = path.partition(".")
    if not rest:
        return {**into, name: value}
    inner = into.get(name)
    return {**into, name: put(inner if isinstance(inner, Mapping) else {}, rest, value)}


def merged(one: Mapping[str, object], other: Mapping[str, object]) -> dict[str, object]:
    """Both objects in one, level by level; where both have a value, the other's."""
    result = dict(one)
    for name, value in other.items():
        mine = result.get(name)
        both = isinstance(mine, Mapping) and isinstance(value, Mapping)
        result[name] = merged(mine, value) if both else value  # type: ignore[arg-type]  # as `both` says
    return result


def texts(value: object) -> Iterator[tuple[str, str]]:
    """Each text in a JSON value with its path, the outermost first; bounded in depth and number."""
    waiting: list[tuple[str, object]] = [("", value)]
    looked_at = 0
    while waiting and looked_at < _MOST:
        path, found = waiting.pop(0)
        looked_at += 1
        if isinstance(found, str):
            yield path or WHOLE, found
        if path.count(".") >= _DEEPEST:
            continue
        inner: list[tuple[object, object]] = []
        if isinstance(found, Mapping):
            inner = list(found.items())
        elif isinstance(found, list):
            inner = list(enumerate(found))
        waiting += [(f"{path}.{name}" if path else str(name), v) for name, v in inner[:_MOST]]


def place_of_sdp(body: str) -> str:
    """Where a JSON body has a text that is SDP and nothing else; empty where it is none, or has none."""
    if body.lstrip()[:1] not in ("{", "[", '"'):
        return ""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return next((path for path, text in texts(value) if parse_sdp(text).is_sdp and text[0] == "v"), "")
