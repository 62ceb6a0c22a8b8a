"""Reading JSON that a stranger sent."""

from __future__ import annotations

import json
from typing import Any

DEEPEST = 100  # levels; a Realtime event has about ten, and whoever walks it later recurses


def json_object(text: str) -> dict[str, Any] | None:
    """The object that `text` is; None for anything else.

    NaN and Infinity are not JSON (RFC 8259, section 6), though Python reads them; nesting beyond `DEEPEST`
    is taken for an attack on whoever reads it.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and _is_shallow(value) else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _is_shallow(value: dict[str, Any]) -> bool:
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        ]
        if not level:
            return True
    return False
