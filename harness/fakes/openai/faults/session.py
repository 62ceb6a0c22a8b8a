"""The session goes wrong: its beginning, its updates, its end."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable
from typing import Any

from harness.fakes.faults.registry import FaultValue
from harness.fakes.openai.conversation.behaviour import CONVERSATION, Quirk
from harness.fakes.openai.conversation.outputs import Output, Send
from harness.fakes.openai.conversation.refusals import RefusedError
from harness.fakes.openai.conversation.settings import ConversationSettings

fault = CONVERSATION.fault


@fault("no-session-created", "never sends session.created", stage="session")
class NoSessionCreated(Quirk):
    def sending(self, event: dict[str, Any]) -> Iterable[Output]:
        if event["type"] != "session.created":
            yield Send(event)


@fault("session-update-ignored", "does not answer a session.update", stage="session")
class UpdateIgnored(Quirk):
    def ignores(self, event: dict[str, Any]) -> bool:
        return bool(event["type"] == "session.update")


@fault(
    "session-update-refused",
    "refuses every session.update",
    stage="session",
    default="invalid_value",
    value_help="the error's code",
)
class UpdateRefused(Quirk):
    def ignores(self, event: dict[str, Any]) -> bool:
        if event["type"] == "session.update":
            raise RefusedError(str(self.value), "The session could not be updated.", param="session")
        return False


@fault("session-update-not-applied", "acknowledges a session.update but keeps the session", stage="session")
class UpdateNotApplied(Quirk):
    def applies(self, event: dict[str, Any]) -> bool:
        return False


@fault(
    "limit-reached",
    "says after a response that a limit is reached",
    stage="session",
    default="rate_limit_exceeded",
    value_help="the error's code",
)
class LimitReached(Quirk):
    def sending(self, event: dict[str, Any]) -> Iterable[Output]:
        yield Send(event)
        if event["type"] == "response.done":
            code = str(self.value)
            error = {"type": code, "code": code, "message": "A limit is reached.", "param": None}
            yield Send(
                {"type": "error", "event_id": event["event_id"] + "x", "error": {**error, "event_id": None}}
            )


@fault("mcp-not-listed", "cannot list the tools of an MCP server", stage="session")
class McpNotListed(Quirk):
    def sending(self, event: dict[str, Any]) -> Iterable[Output]:
        yield Send(event)
        if event["type"] == "session.created":
            name = event["event_id"] + "x"
            yield Send({"type": "mcp_list_tools.failed", "event_id": name, "item_id": "mcpl_1"})


@fault("mcp-call-failed", "fails in calling a tool of an MCP server", stage="response")
class McpCallFailed(Quirk):
    def sending(self, event: dict[str, Any]) -> Iterable[Output]:
        if event["type"] == "response.done":
            name = event["event_id"] + "x"
            failed = {"type": "response.mcp_call.failed", "event_id": name}
            yield Send({**failed, "item_id": "mcp_1", "output_index": 0})
        yield Send(event)


@fault("turn-detection-off", "has no turn detection, whatever was asked for", stage="session")
class TurnDetectionOff(Quirk):
    def session(self, session: dict[str, Any]) -> None:
        session["audio"]["input"]["turn_detection"] = None


@fault(
    "turn-detection-cleared",
    "loses its turn detection after the first response, as when a sideband client clears it",
    stage="session",
)
class TurnDetectionCleared(Quirk):
    def __init__(self, value: FaultValue) -> None:
        super().__init__(value)
        self._in_force: dict[str, Any] | None = None

    def session(self, session: dict[str, Any]) -> None:
        self._in_force = session

    def sending(self, event: dict[str, Any]) -> Iterable[Output]:
        yield Send(event)
        if event["type"] == "response.done" and self._in_force is not None:
            session, self._in_force = self._in_force, None
            session["audio"]["input"]["turn_detection"] = None
            event_id = event["event_id"] + "x"
            yield Send({"type": "session.updated", "event_id": event_id, "session": copy.deepcopy(session)})


@fault("errors-unreported", "refuses what is wrong without saying so", stage="session")
class ErrorsUnreported(Quirk):
    def sending(self, event: dict[str, Any]) -> Iterable[Output]:
        if event["type"] != "error":
            yield Send(event)


@fault(
    "large-message-fatal",
    "closes the channel on a large client event",
    stage="session",
    default=64,
    value_help="the KiB that are too many",
)
class LargeMessageFatal(Quirk):
    def chokes_on(self, size: int) -> bool:
        return size >= int(self.value) * 1024


@fault(
    "session-expired",
    "ends the session early, as it ends after an hour",
    stage="lifecycle",
    default=5.0,
    value_help="seconds after it began",
)
class SessionExpired(Quirk):
    def settings(self, settings: ConversationSettings) -> ConversationSettings:
        return dataclasses.replace(settings, session_seconds=max(float(self.value), 0.001))


@fault(
    "session-expired-unannounced",
    "ends the session early and without the error that says so",
    stage="lifecycle",
    default=5.0,
    value_help="seconds after it began",
)
class SessionExpiredUnannounced(SessionExpired):
    def announces_expiry(self) -> bool:
        return False
