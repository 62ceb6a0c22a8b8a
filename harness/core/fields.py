"""Fields of JSON that a stranger sent: the one place that looks at a value's type, so that no judge need.

Whoever asks for a text gets a text: a value of another type is as one that is missing. That it was sent all
the same is told elsewhere, by `session.events-valid`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def field(data: object, *path: str) -> Any:
    """The value at a path of keys, of any type; None where any of it is missing or no object."""
    for key in path:
        if not isinstance(data, Mapping):
            return None
        data = data.get(key)
    return data


def text(data: object, *path: str) -> str:
    """The text at a path; empty where there is none."""
    value = field(data, *path)
    return value if isinstance(value, str) else ""


def number(data: object, *path: str) -> float | None:
    """The number at a path; None where there is none that can be calculated with."""
    value = field(data, *path)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def table(data: object, *path: str) -> dict[str, Any]:
    """The object at a path; an empty one where there is none."""
    value = field(data, *path)
    return dict(value) if isinstance(value, Mapping) else {}


def items(data: object, *path: str) -> list[Any]:
    """What the list at a path holds; nothing where there is none."""
    value = field(data, *path)
    return list(value) if isinstance(value, list | tuple) else []


def tables(data: object, *path: str) -> list[dict[str, Any]]:
    """The objects in the list at a path."""
    return [item for item in items(data, *path) if isinstance(item, dict)]
