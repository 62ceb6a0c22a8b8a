"""Why a client event is refused: one `error` event each, with the codes that the API gives (docs/fake.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.core.event_types import Flaw


class RefusedError(Exception):
    """The client asked for something that the API refuses."""

    def __init__(
        self, code: str, message: str, *, param: str | None = None, kind: str = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.kind = kind

    def details(self, event_id: str | None = None) -> dict[str, Any]:
        """The `error` object; `event_id` is the client's own."""
        return {
            "type": self.kind,
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "event_id": event_id,
        }


def flawed(flaw: Flaw) -> RefusedError:
    """A field that the official type of the event does not accept."""
    if flaw.kind == "missing":
        return RefusedError(
            "missing_required_parameter", f"Missing required parameter: '{flaw.path}'.", param=flaw.path
        )
    if flaw.kind == "extra":
        return RefusedError("unknown_parameter", f"Unknown parameter: '{flaw.path}'.", param=flaw.path)
    if flaw.kind == "value":
        return invalid_value(flaw.path, f"Supported values are: {listed(flaw.expected)}.")
    return RefusedError("invalid_type", f"Invalid type for '{flaw.path}': {flaw.message}.", param=flaw.path)


def invalid_value(param: str, why: str) -> RefusedError:
    """A field whose value is out of range or not among those supported."""
    return RefusedError("invalid_value", f"Invalid value for '{param}'. {why}", param=param)


def unsupported_value(param: str, value: str, supported: Sequence[str]) -> RefusedError:
    """A word that is none of those supported."""
    message = f"Invalid value: '{value}'. Supported values are: {listed(supported)}."
    return RefusedError("invalid_value", message, param=param)


def listed(words: Sequence[str]) -> str:
    """`'a', 'b', and 'c'`, as the API's messages have it."""
    quoted = [f"'{word}'" for word in words]
    return ", ".join([*quoted[:-1], f"and {quoted[-1]}"]) if len(quoted) > 2 else " and ".join(quoted)


def wrong_kind(kind: str, session: str) -> RefusedError:
    """An update that is for another kind of session: realtime or transcription."""
    return RefusedError(
        "invalid_parameter", f"Passing a {kind} session update event to a {session} session is not allowed."
    )


def invalid_json(why: str) -> RefusedError:
    """A message that is no JSON object."""
    return RefusedError("invalid_json", f"The message could not be parsed as a JSON object: {why}.")


def unknown_item(verb: str, item_id: str) -> RefusedError:
    """`verb` is truncate, retrieve or delete."""
    return RefusedError(
        f"item_{verb}_invalid_item_id",
        f"Error {verb[:-1]}ing item: the item with id '{item_id}' does not exist.",
        param="item_id",
    )


def cannot_update(what: str, why: str) -> RefusedError:
    """`what` is voice, model or tracing: locked at this time."""
    path = {"voice": "session.audio.output.voice"}.get(what, f"session.{what}")
    return RefusedError(f"cannot_update_{what}", why, param=path)
