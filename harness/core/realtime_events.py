"""Whether an event is one that OpenAI Realtime may send: the official `openai` types, read strictly.

The types themselves allow extra fields, so that old clients survive new servers. A check may not: here an
extra field, a missing required one and a value of another type are all problems, at any depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

SESSION_EVENTS = ("session.created", "session.updated")


class _SessionResource(BaseModel):
    """What the wire carries in `session` beside the fields of the request, by which the SDK types it."""

    id: str | None = None
    object: str | None = None
    expires_at: int | None = None


class _SessionEvent(BaseModel):
    session: _SessionResource


_RESOURCE_PATHS = tuple(f"session.{name}" for name in _SessionResource.model_fields)

# Fields that api.openai.com was recorded to send (July and August 2026) and that openai 3.52 does not type.
_RECORDED = re.compile(
    r"obfuscation|(?:item|response\.output\[\d+\])\.phase"
    r"|response\.usage\.output_token_details\.reasoning_tokens"
)
_NOTHING = re.compile("(?!)")


FlawKind = Literal["missing", "extra", "type", "value"]


class Flaw(NamedTuple):
    """The first field that an official type does not accept; `expected`: the values it may take, if few."""

    path: str
    kind: FlawKind
    message: str
    expected: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class EventProblem(NamedTuple):
    """Why an event is not valid, in one line that begins with the field's path.

    `unknown_type`: the official package does not know the event's type, or a field of it.
    """

    unknown_type: bool
    problem: str


def _by_type(union: Any) -> Mapping[str, type[BaseModel]]:
    """Event type → class, for a union annotated with its discriminator."""
    classes = get_args(get_args(union)[0])
    return MappingProxyType({get_args(c.model_fields["type"].annotation)[0]: c for c in classes})


@cache
def server_events() -> Mapping[str, type[BaseModel]]:
    """Every server event's type → its class."""
    from openai.types.realtime import (
        RealtimeServerEvent,  # a second of importing, which collecting and judging need not wait for
    )

    return _by_type(RealtimeServerEvent)


@cache
def client_events() -> Mapping[str, type[BaseModel]]:
    """Every client event's type → its class."""
    from openai.types.realtime import RealtimeClientEvent  # as above

    return _by_type(RealtimeClientEvent)


def server_event_problem(event: object) -> EventProblem | None:
    """None where the official types accept the server event; never raises."""
    return _problem(event, server_events())


def client_event_flaw(event: Mapping[str, Any]) -> Flaw | None:
    """The flaw of a client event whose `type` is one of `client_events()`; never raises."""
    return _flaw(client_events()[event["type"]], event, beyond=_NOTHING)


def _problem(event: object, classes: Mapping[str, type[BaseModel]]) -> EventProblem | None:
    if not isinstance(event, Mapping):
        return EventProblem(False, f"the event is {_kind(event)}, not an object")
    name = event.get("type")
    if "type" not in event:
        return EventProblem(False, "type: is missing")
    if not isinstance(name, str):
        return EventProblem(False, f"type: is {_kind(name)}, not a string")
    if name not in classes:
        return EventProblem(True, f"type: {name!r} is not among the official {len(classes)}")
    flaw = _flaw(classes[name], event, beyond=_RECORDED)
    return EventProblem(flaw.kind == "extra", str(flaw)) if flaw else None


@cache
def _adapter(model: type[BaseModel]) -> TypeAdapter[BaseModel]:
    return TypeAdapter(model)


def _flaw(model: type[BaseModel], data: Mapping[str, Any], *, beyond: re.Pattern[str]) -> Flaw | None:
    is_session_event = data["type"] in SESSION_EVENTS
    try:
        parsed = _adapter(model).validate_python(dict(data), strict=True)
        if is_session_event:
            _adapter(_SessionEvent).validate_python(dict(data), strict=True)
    except ValidationError as error:
        return _telling(error)
    except RecursionError:
        return Flaw("event", "value", "is nested too deeply")
    known = _RESOURCE_PATHS if is_session_event else ()
    extras = (path for path in _extra_fields(parsed) if path not in known)
    extra = next((path for path in extras if not beyond.fullmatch(path)), None)
    return Flaw(extra, "extra", "is not a field of the official type") if extra else None


def _telling(error: ValidationError) -> Flaw:
    """The first error outside the branches of a union that the data's own `type` or `role` rules out."""
    errors = error.errors(include_url=False, include_input=False)
    tags = [e for e in errors if len(e["loc"]) > 1 and e["loc"][-1] in _TAGS and _is_branch(e["loc"][-2])]
    ruled_out = {e["loc"][:-1] for e in tags}
    telling = [e for e in errors if not any(e["loc"][: len(branch)] == branch for branch in ruled_out)]
    if telling:
        first = telling[0]
        expected = (first["ctx"]["expected"],) if first["type"] == "literal_error" else ()
        message = f"{first['msg'][0].lower()}{first['msg'][1:]}"
        return Flaw(_path(first["loc"]), _KINDS.get(first["type"], "type"), message, expected)
    # Every branch is ruled out: no member of the union has this `type`, or none of that type this `role`.
    by_type = [e for e in tags if e["loc"][-1] == "type"]
    wrong_type = {e["loc"][:-1] for e in by_type}
    chosen = [e for e in tags if e["loc"][:-1] not in wrong_type] or by_type
    expected = tuple(sorted({e["ctx"]["expected"] for e in chosen if "ctx" in e}))
    message = f"input should be {' or '.join(expected) or 'present'}"
    return Flaw(_path(chosen[0]["loc"]), _KINDS.get(chosen[0]["type"], "type"), message, expected)


_KINDS: Mapping[str, FlawKind] = MappingProxyType({"missing": "missing", "literal_error": "value"})
_TAGS = ("type", "role")


def _is_branch(word: int | str) -> bool:
    """Whether a word of an error's location is a union's branch, named by its class, rather than a field."""
    return isinstance(word, str) and word[:1].isupper()


def _path(loc: tuple[int | str, ...]) -> str:
    """`item.content[0].type`, without the names of union branches, which only the SDK knows."""
    path = ""
    for word in loc:
        if isinstance(word, int):
            path += f"[{word}]"
        elif word.isidentifier() and not _is_branch(word):
            path += f".{word}" if path else word
    return path or "event"


def _extra_fields(value: object, path: str = "") -> Iterator[str]:
    if isinstance(value, BaseModel):
        for name in value.model_extra or {}:
            yield f"{path}.{name}" if path else name
        for name in type(value).model_fields:
            yield from _extra_fields(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _extra_fields(item, f"{path}[{index}]")


def _kind(value: object) -> str:
    names = {
        type(None): "null",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "a list",
    }
    return names.get(type(value), type(value).__name__)
