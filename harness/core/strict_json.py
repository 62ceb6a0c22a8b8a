"""Reading JSON that a stranger sent."""

from __future__ import annotations

import json
import math
import re
from typing import Any

DEEPEST = 100  # levels; a Realtime event has about ten, and whoever walks it later recurses
_LONGEST_NUMBER = 18  # digits: what fits in 64 bits; a longer one is read as browsers do, with less precision
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")
_MAY_HOLD_HALF = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


def json_value(text: str) -> Any:
    """The value that `text` is. Raises ValueError for what is no JSON, or is JSON only to harm.

    NaN and Infinity are not JSON (RFC 8259, section 6), though Python reads them. Numbers are those of IEEE
    754 (same section): one beyond them is refused. Nesting beyond `DEEPEST` is taken for an attack on whoever
    reads it. Half a surrogate pair becomes U+FFFD, since no UTF-8 can hold it.
    """
    try:
        value = json.loads(text, parse_constant=_refuse, parse_int=_integer, parse_float=_real)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not _is_shallow(value):
        raise ValueError("nested too deeply")
    return _whole(value) if _MAY_HOLD_HALF.search(text) else value


def json_object(text: str) -> dict[str, Any] | None:
    """The object that `text` is; None for anything else."""
    try:
        value = json_value(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def as_text(value: object) -> str:
    """JSON of a value that was read, for a look at its texts: nothing escaped that a search would miss."""
    return json.dumps(value, ensure_ascii=False)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else _real(digits)


def _real(digits: str) -> float:
    found = float(digits)
    if not math.isfinite(found):
        raise ValueError("a number beyond IEEE 754")
    return found


def _is_shallow(value: object) -> bool:
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        if not level:
            return True
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        ]
    return not level


def _whole(value: Any) -> Any:
    """With U+FFFD for each half of a surrogate pair."""
    if isinstance(value, str):
        return _HALF_A_PAIR.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return value
