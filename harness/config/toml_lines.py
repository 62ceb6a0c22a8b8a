"""Where each key of a TOML file stands, for messages that point at the line.

`tomllib` tells no positions. Growing prefixes of the file are parsed instead: a prefix that ends inside a
string or an array is not TOML, so each one that parses ends with a whole statement, and the keys that it has
over the one before stand in that statement. The grammar is tomllib's own; the cost is for errors only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

KeyPath = tuple[str | int, ...]


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line, counted from 1, of the statement that first has each key. `text` is valid TOML."""
    found: dict[KeyPath, int] = {}
    lines = text.replace("\r\n", "\n").split("\n")  # as tomllib does: a prefix ending in \r is not TOML
    begun: int | None = None
    for number, line in enumerate(lines, start=1):
        if begun is None:
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            begun = number
        try:
            data = tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue  # inside a string or an array of several lines
        for path in _paths(data):
            found.setdefault(path, begun)
        begun = None
    return found


def nearest_line(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """The line of the key, or of the nearest table around it that stands in the file."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _paths(item, (*path, key))
