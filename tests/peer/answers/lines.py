"""Lines left out, doubled, moved, added, or replaced by those of values.txt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from tests.peer.answers.parts import END, PLACES, Mutation, Parts, Rule, written

VALUES = Path(__file__).with_name("values.txt")


def dropped(answer: str) -> Iterator[Mutation]:
    """Each line left out."""
    parts = Parts.of(answer)
    for place, where in enumerate(PLACES):
        lines = parts.all[place]
        for n, line in enumerate(lines):
            yield f"{where} without {line}", parts.having(place, [*lines[:n], *lines[n + 1 :]])


def doubled(answer: str) -> Iterator[Mutation]:
    """Each line twice."""
    parts = Parts.of(answer)
    for place, where in enumerate(PLACES):
        lines = parts.all[place]
        for n, line in enumerate(lines):
            yield f"{where}, twice: {line}", parts.having(place, [*lines[: n + 1], *lines[n:]])


def moved(answer: str) -> Iterator[Mutation]:
    """Each line in another place."""
    parts = Parts.of(answer)
    for place, where in enumerate(PLACES):
        lines = parts.all[place]
        for n, line in enumerate(lines):
            rest = [*lines[:n], *lines[n + 1 :]]
            yield f"{where}, last: {line}", parts.having(place, [*rest, line])
            if line[:2] in ("o=", "s=", "t=", "c="):
                yield f"{where}, first: {line}", parts.having(place, [line, *rest])
        fixed = [line for line in lines if not line.startswith("a=")]
        attributes = [line for line in lines if line.startswith("a=")]
        yield f"{where}, attributes reversed", parts.having(place, [*fixed, *reversed(attributes)])
        yield f"{where}, attributes sorted", parts.having(place, [*fixed, *sorted(attributes)])
    for n in range(1, len(parts.session)):
        swapped = list(parts.session)
        swapped[n - 1], swapped[n] = swapped[n], swapped[n - 1]
        yield f"session, before its line: {parts.session[n]}", parts.having(0, swapped)


@cache
def listed() -> Mapping[str, list[Rule]]:
    """group → the rules that the lists of values give it."""
    found: dict[str, list[Rule]] = {}
    blocks = re.split(r"\n== ", VALUES.read_text(encoding="utf-8"))[1:]
    for block in blocks:
        head, *lines = block.rstrip("\n").split("\n")
        group, places, how, *pattern = [word.strip() for word in head.split("|", 3)]
        numbers = [PLACES.index(place) for place in places.split()]
        values = [_value(line) for line in lines if line]
        found.setdefault(group, []).append(_rule(how, pattern[0], numbers, values))
    return found


def _value(line: str) -> list[str]:
    """The lines that one of the list stands for."""
    if line in ("<nothing>", "<empty line>"):
        return [] if line == "<nothing>" else [""]
    line = line.replace("<space>", " ")
    line = re.sub(r"<(\S+)\*(\d+)>", lambda found: found[1] * int(found[2]), line)
    for escape, character in (("\\r\\n", END), ("\\t", "\t"), ("\\0", "\0")):
        line = line.replace(escape, character)
    return line.split(END)


def _rule(how: str, pattern: str, places: list[int], values: list[list[str]]) -> Rule:
    fits = re.compile(pattern).match

    def beside(answer: str) -> Iterator[Mutation]:
        parts = Parts.of(answer)
        for place in places:
            for value in values:
                lines = parts.all[place]
                # After m=, after s= or, of what may come last alone, after t=.
                after = 1 if place else 3 + (value[0][:2] in ("a=", "z=", "k=", "r="))
                yield _named(place, value), parts.having(place, [*lines[:after], *value, *lines[after:]])

    def instead_of_all(answer: str) -> Iterator[Mutation]:
        parts = Parts.of(answer)
        for place in places:
            for value in values:
                rest = [line for line in parts.all[place] if not fits(line)]
                yield _named(place, value), parts.having(place, [*rest, *value])

    def instead(answer: str) -> Iterator[Mutation]:
        parts = Parts.of(answer)
        having = [place for place in places if any(map(fits, parts.all[place]))]
        for some in (having, *([place] for place in having if len(having) > 1)):
            for value in (*values, []):
                changed = [
                    [new for line in lines for new in (value if n in some and fits(line) else [line])]
                    for n, lines in enumerate(parts.all)
                ]
                where = " and ".join(PLACES[n] for n in some)
                yield f"{where}: {', '.join(value) or 'none'!r}", written(*changed)

    return {"beside": beside, "instead of all": instead_of_all, "instead of": instead}[how]


def _named(place: int, value: list[str]) -> str:
    return f"{PLACES[place]}: {', '.join(value)!r}"


def in_one_place(*patterns: str) -> Rule:
    """The lines that fit in the session alone, and in each section alone."""

    def rule(answer: str) -> Iterator[Mutation]:
        parts = Parts.of(answer)
        for pattern in patterns:
            own = list(
                dict.fromkeys(line for lines in parts.all for line in lines if re.match(pattern, line))
            )
            left = [[line for line in lines if not re.match(pattern, line)] for lines in parts.all]
            for place, where in enumerate(PLACES):
                text = written(*([*lines, *own] if n == place else lines for n, lines in enumerate(left)))
                yield f"{where} alone has {pattern}", text

    return rule
