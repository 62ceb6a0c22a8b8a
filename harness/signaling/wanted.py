"""What a refusal says that it misses: the words of the field's frameworks and of people, read for names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.core.dialects import CONTENT_TYPES

_LONGEST = 4_000  # characters of a refusal that are read
_LONGEST_JSON = 1 << 18  # characters of one in JSON, which may quote what we sent
_EXTRA = re.compile(r"extra_forbidden|unrecognized_keys|additionalProperties")
_MOST = 12  # names that are taken from one

# Names that stand in quotes, or are written as no word of a language is.
_QUOTED = re.compile(r"[\"'`‘“]([A-Za-z_][\w.\[\]-]{0,40})[\"'`’”]")
_CODED = re.compile(r"\b([a-z]+(?:[A-Z][a-z0-9]*)+|[a-z]+[A-Z]{2,}|[a-z]+(?:_[a-z0-9]+)+)\b")
_PLAIN = re.compile(
    r"\b(sdp|offer|description|jsep|session|model|voice|instructions|language|type)\b", re.IGNORECASE
)
_WANTS = re.compile(
    r"missing|requir|needs?\b|expect|must|provid|undefined|not found|invalid|without|no |empty|should|"
    r"falta|requerid|obligatori|necesari",
    re.IGNORECASE,
)
_IN_QUERY = re.compile(r"query|search ?param|\burl\b.*param", re.IGNORECASE)
# Where FastAPI, pydantic, zod and joi put the path of what is wrong.
_PATHS = ("loc", "path", "instancePath", "field", "param", "missingProperty")
_PLACES = {"body": "body", "query": "query", "querystring": "query", "form": "body", "header": "header"}
# What libraries call their own things, in refusals that are about ours.
_NOISE = frozenset(
    {
        *("error", "errors", "message", "messages", "detail", "details", "code", "status", "ok", "success"),
        *("msg", "loc", "input", "ctx", "url", "path", "type_error", "value_error", "invalid_type"),
        *("invalid_request", "invalid_offer", "bad_request", "invalid_request_error", "missing_field"),
        *("internal_error", "validation_error", "unsupported_media_type", "application", "object", "json"),
        *("string", "undefined", "null", "none", "body", "request", "true", "false", "received", "expected"),
    }
)


@dataclass(frozen=True)
class Wanted:
    """Something that a relay says it misses: a dotted path, in the body or in the query."""

    path: str
    place: str = "body"

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]


def wanted_in(body: str) -> list[Wanted]:
    """What a refusal names, what frameworks give as paths first; bounded."""
    value = _json(body)
    found = list(_paths(value)) if value is not None else []
    if not found:  # a framework's paths say it better than its prose
        text = " ".join(_sentences(value)) if isinstance(value, dict | list) else body
        found = _named(text[:_LONGEST])
    return list(dict.fromkeys(each for each in found if each.name.lower() not in _NOISE))[:_MOST]


def unwanted_in(body: str) -> list[str]:
    """Fields that a strict schema refuses, as pydantic and zod name them."""
    return [name for name in _unwanted(_json(body)) if re.fullmatch(r"[\w-]{1,40}", name)][:_MOST]


def types_in(body: str) -> list[str]:
    """Content types that a refusal names."""
    text = body[:_LONGEST].lower().replace("formdata", "multipart/form-data")
    return [kind for kind in CONTENT_TYPES if kind in text]


def _paths(value: object, depth: int = 0) -> Iterator[Wanted]:
    if depth > 8:
        return
    if isinstance(value, Mapping):
        for key in _PATHS:
            path = value.get(key)
            parts = (
                path if isinstance(path, list) else re.split(r"[./]", path) if isinstance(path, str) else []
            )
            names = [str(part) for part in parts if isinstance(part, str | int) and str(part)]
            place = _PLACES.get(names[0], "") if names else ""
            names = names[1:] if place else names
            if (
                names
                and not _is_unwanted(value)
                and all(re.fullmatch(r"[\w-]{1,40}", name) for name in names)
                and place != "header"
            ):
                yield Wanted(".".join(names), place or "body")
        for inner in value.values():
            yield from _paths(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value[:20]:
            yield from _paths(inner, depth + 1)


def _json(body: str) -> object:
    try:
        return json.loads(body[:_LONGEST_JSON])
    except (ValueError, RecursionError):
        return None


def _is_unwanted(problem: Mapping[object, object]) -> bool:
    return _EXTRA.search(f"{problem.get('type')} {problem.get('code')} {problem.get('keyword')}") is not None


def _unwanted(value: object, depth: int = 0) -> Iterator[str]:
    if isinstance(value, Mapping) and depth < 8:
        if _is_unwanted(value):
            path, keys = value.get("loc"), value.get("keys")
            yield from [str(path[-1])] if isinstance(path, list) and path else []
            yield from map(str, keys) if isinstance(keys, list) else []
        for inner in value.values():
            yield from _unwanted(inner, depth + 1)
    elif isinstance(value, list) and depth < 8:
        for inner in value[:20]:
            yield from _unwanted(inner, depth + 1)


def _sentences(value: object, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < 8 and isinstance(value, Mapping):
        for name, inner in value.items():
            # FastAPI and zod quote what we sent: that is no word of theirs.
            if name not in ("input", "received", "ctx", "url", "type", *_PATHS):
                yield from _sentences(inner, depth + 1)
    elif depth < 8 and isinstance(value, list):
        for inner in value[:20]:
            yield from _sentences(inner, depth + 1)


def _named(text: str) -> list[Wanted]:
    if not _WANTS.search(text):
        return []
    place = "query" if _IN_QUERY.search(text) else "body"
    names = [name.replace("[", ".").replace("]", "") for name in _QUOTED.findall(text)]
    text = _QUOTED.sub("", text)
    names += _CODED.findall(text) + [name.lower() for name in _PLAIN.findall(text)]
    return [Wanted(name.removeprefix("body."), place) for name in names]
