"""Hostile values, and ways to put them where another was expected."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.escapes import ESCAPES, HOSTILE

Path = tuple[str | int, ...]

LONGEST = 1 << 20  # characters of what was repeated: more than any body of which the product reads that much

TEXTS: tuple[str, ...] = (
    *ESCAPES,
    "",
    " ",
    "\0",
    "\ud800",
    "NaN",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "%s%n",
    "[bold red]",
    "]]>",
    "a" * 5000,
    "é😀\u0301",
    "../../etc/passwd",
    "-1",
    HOSTILE,
)
NUMBERS: tuple[float, ...] = (
    0, -1, 1.5, 2**31, 2**53 + 1, 2**63, 2**64, -(2**64), 10**30, 10**400, 1e308, -1e308, 5e-324,
)  # fmt: skip


def nested(depth: int, *, as_list: bool) -> Any:
    """Lists or objects in one another."""
    value: Any = 1
    for _ in range(depth):
        value = [value] if as_list else {"a": value}
    return value


def hostile(rng: random.Random) -> Any:
    """A JSON value that few expect."""
    made: tuple[Callable[[], Any], ...] = (
        lambda: rng.choice(TEXTS),
        lambda: rng.choice(NUMBERS),
        lambda: rng.choice((None, True, False)),
        list,
        dict,
        lambda: [rng.choice(NUMBERS)],
        lambda: [None],
        lambda: [[rng.choice(TEXTS)]],
        lambda: {rng.choice(TEXTS): rng.choice(NUMBERS)},
        lambda: [{"content": rng.choice((1.5, None, "x", {}, [1], [None], [{"type": 1}]))}],
        lambda: {"type": rng.choice((1, None, [], {}, "audio"))},
        lambda: nested(rng.choice((5, 50, 90)), as_list=rng.random() < 0.5),
    )
    return rng.choice(made)()


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths(item, (*path, index))


def spoiled(value: Any, rng: random.Random, times: int = 1) -> Any:
    """A copy in which some places hold something else, or nothing."""
    value = copy.deepcopy(value)
    for _ in range(times):
        path = rng.choice([p for p in paths(value) if p] or [()])
        if not path:
            return value
        *before, last = path
        holder = value
        for word in before:
            holder = holder[word]
        if rng.random() < 0.2 and isinstance(holder, dict):
            del holder[last]
        else:
            holder[last] = hostile(rng)
    return value


def spoiled_text(text: str, rng: random.Random) -> str:
    """Lines repeated, dropped, swapped, cut, or with something else in them."""
    for _ in range(rng.randint(1, 5)):
        lines = text.splitlines(keepends=True) or [""]
        at = rng.randrange(len(lines))
        match rng.randrange(7):
            case 0:
                del lines[at]
            case 1:
                # A text of one line grows as a power: five times 50 of it were gigabytes of our own making.
                lines[at:at] = [lines[at]] * min(rng.choice((1, 2, 50)), LONGEST // max(1, len(text)))
            case 2:
                other = rng.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                words = lines[at].split(" ")
                words[rng.randrange(len(words))] = rng.choice((*TEXTS, *map(str, NUMBERS)))
                lines[at] = " ".join(words)
            case 4:
                lines[at] = rng.choice(TEXTS) + lines[at]
            case 5:
                lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
            case _:
                lines.insert(at, rng.choice(TEXTS) + "\r\n")
        text = "".join(lines)
    return text
