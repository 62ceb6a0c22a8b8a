"""Whether an event is one that OpenAI Realtime may send: the official types, read strictly.

The official clients allow extra fields, so that old ones survive new servers. A check may not: here an extra
field, a missing required one and a value of another type are all problems, at any depth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from harness.core.event_types import Flaw, event_types, extra_fields, flaw_in

SESSION_EVENTS = ("session.created", "session.updated")

# What the wire carries in `session` beside the fields of the request, by which the SDK types it.
_RESOURCE_FIELDS = {"id": str, "object": str, "expires_at": int}
_RESOURCE_PATHS = tuple(f"session.{name}" for name in _RESOURCE_FIELDS)

# Fields that api.openai.com was recorded to send (July and August 2026) and that openai 3.52 does not type.
_RECORDED = re.compile(
    r"obfuscation|(?:item|response\.output\[\d+\])\.phase"
    r"|response\.usage\.output_token_details\.reasoning_tokens"
)
_NOTHING = re.compile("(?!)")


class EventProblem(NamedTuple):
    """Why an event is not valid, in one line that begins with the field's path.

    `unknown_type`: the official package does not know the event's type, or a field of it.
    """

    unknown_type: bool
    problem: str


def server_events() -> Mapping[str, str]:
    """Every server event's type → its name in the table."""
    return event_types().server


def client_events() -> Mapping[str, str]:
    """Every client event's type → its name in the table."""
    return event_types().client


def server_event_problem(event: object) -> EventProblem | None:
    """None where the official types accept the server event; never raises."""
    if not isinstance(event, Mapping):
        return EventProblem(False, f"the event is {_kind(event)}, not an object")
    name = event.get("type")
    if "type" not in event:
        return EventProblem(False, "type: is missing")
    if not isinstance(name, str):
        return EventProblem(False, f"type: is {_kind(name)}, not a string")
    if name not in server_events():
        return EventProblem(True, f"type: {name!r} is not among the official {len(server_events())}")
    flaw = _flaw(server_events()[name], event, beyond=_RECORDED)
    return EventProblem(flaw.kind == "extra", str(flaw)) if flaw else None


def client_event_flaw(event: Mapping[str, Any]) -> Flaw | None:
    """The flaw of a client event whose `type` is one of `client_events()`; never raises."""
    return _flaw(client_events()[event["type"]], event, beyond=_NOTHING)


def _flaw(name: str, data: Mapping[str, Any], *, beyond: re.Pattern[str]) -> Flaw | None:
    is_session_event = data["type"] in SESSION_EVENTS
    data = dict(data)
    flaw = flaw_in(name, data) or (_resource_flaw(data["session"]) if is_session_event else None)
    if flaw is not None:
        return flaw
    known = _RESOURCE_PATHS if is_session_event else ()
    extras = (path for path in extra_fields(name, data) if path not in known)
    extra = next((path for path in extras if not beyond.fullmatch(path)), None)
    return Flaw(extra, "extra", "is not a field of the official type") if extra is not None else None


def _resource_flaw(session: Mapping[str, Any]) -> Flaw | None:
    for name, kind in _RESOURCE_FIELDS.items():
        value = session.get(name)
        if value is not None and type(value) is not kind:
            told = "a valid string" if kind is str else "a valid integer"
            return Flaw(f"session.{name}", "type", f"input should be {told}")
    return None


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
