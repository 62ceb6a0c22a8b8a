"""Each kind of server event as recorded: its fields, there always or sometimes, their types and words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FACTS = Path(__file__).with_name("shapes.txt")
FREE = ("session.tools[].parameters", "response.metadata")  # the client's own words, at any depth


@dataclass(frozen=True)
class Field:
    """`allowed`: JSON types, and words in quotes. `always`: every recorded event of the kind had it."""

    allowed: frozenset[str]
    always: bool


@cache
def recorded() -> Mapping[str, Mapping[str, Field]]:
    """Kind → path → field."""
    kinds: dict[str, dict[str, Field]] = {}
    fields: dict[str, Field] = {}
    for line in FACTS.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            fields = kinds.setdefault(line[1:].partition("]")[0], {})
        elif line and not line.startswith("#"):
            path, _, allowed = line.lstrip("?").partition(" ")
            fields[path] = Field(frozenset(allowed.split("|")), always=not line.startswith("?"))
    return kinds


def kind_of(event: Mapping[str, Any]) -> str:
    """`conversation.item.added/message/user/input_audio`; a transcription session is a kind of its own."""
    words = [str(event["type"])]
    item = event.get("item")
    if isinstance(item, Mapping):
        words.append(str(item.get("type")))
        if "role" in item:
            words.append(str(item["role"]))
        if item.get("content"):
            words.append(str(item["content"][0].get("type")))
    session = event.get("session")
    if isinstance(session, Mapping) and session.get("type") == "transcription":
        words.append("transcription")
    return "/".join(words)


def differences(event: Mapping[str, Any]) -> Iterator[str]:
    """Each way in which the event is unlike all recorded ones of its kind, in one line."""
    kind = kind_of(event)
    fields = recorded().get(kind)
    if fields is None:
        yield f"{kind}: no such event was recorded"
        return
    found: dict[str, set[str]] = {}
    for path, value in _flat({k: v for k, v in event.items() if k != "type"}):
        found.setdefault(path, set()).add(value)
    for path in sorted(found):
        if path not in fields:
            if not any(known.startswith((f"{path}.", f"{path}[")) for known in fields):
                yield f"{kind}: {path} was not recorded"
            else:
                yield f"{kind}: {path} is {_kind(min(found[path]))}, which was not recorded"
            continue
        for value in sorted(found[path]):
            allowed = fields[path].allowed
            if not _fits(value, allowed):
                shown = value if any(word.startswith('"') for word in allowed) else _kind(value)
                yield f"{kind}: {path} is {shown}, recorded is {' or '.join(sorted(allowed))}"
    parents = set(_parents(event))
    for path, field in fields.items():
        if path in parents and "object" not in field.allowed:
            yield f"{kind}: {path} is object, recorded is {' or '.join(sorted(field.allowed))}"
        elif field.always and path not in found and _parent(path) in parents:
            yield f"{kind}: {path} is missing"


def _fits(value: str, allowed: frozenset[str]) -> bool:
    kind = _kind(value)
    return value in allowed or kind in allowed or (kind == "int" and "number" in allowed)


def _kind(value: str) -> str:
    return "string" if value.startswith('"') else value


def _flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and type of each leaf; a text stands in quotes, so that it can be a fixed word."""
    if path in FREE and isinstance(value, Mapping):
        yield path, "object"
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else name)
        if not value:
            yield path, "object"
    elif isinstance(value, list):
        for inner in value:
            yield from _flat(inner, f"{path}[]")
        if not value:
            yield f"{path}[]", "empty"
    else:
        yield path, _leaf(value)


def _leaf(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    names = {type(None): "null", bool: "bool", int: "int", float: "number"}
    return names.get(type(value), type(value).__name__)


def _parents(value: object, path: str = "") -> Iterator[str]:
    """Paths at which an object stands: only there can a field be missing."""
    if isinstance(value, Mapping):
        yield path
        for name, inner in value.items():
            yield from _parents(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _parents(inner, f"{path}[]")


def _parent(path: str) -> str:
    return path.rpartition(".")[0]
