"""Responses go wrong: never, too late, not well, not to the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from harness.fakes.faults.registry import FaultValue
from harness.fakes.openai.conversation.behaviour import CONVERSATION, Ending, Quirk
from harness.fakes.openai.conversation.outputs import Output, Send
from harness.fakes.openai.conversation.settings import ConversationSettings

MESSAGES = {
    "insufficient_quota": "You exceeded your current quota, please check your plan and billing details.",
    "rate_limit_exceeded": "Rate limit reached. Please try again later.",
    "model_not_found": "The model does not exist or you do not have access to it.",
}

fault = CONVERSATION.fault


@fault("response-never", "never answers", stage="response")
class ResponseNever(Quirk):
    def answers(self) -> bool:
        return False


@fault(
    "response-failed",
    "fails every response",
    stage="response",
    default="insufficient_quota",
    value_help="the error's code",
)
class ResponseFailed(Quirk):
    def ending(self) -> Ending:
        code = str(self.value)
        message = MESSAGES.get(code, "The response could not be made.")
        return Ending("failed", error={"type": "invalid_request_error", "code": code, "message": message})


@fault(
    "response-incomplete",
    "breaks a response off for its content",
    stage="response",
    default=0.4,
    value_help="the part of 1 that is made",
)
class ResponseIncomplete(Quirk):
    def ending(self) -> Ending:
        return Ending("incomplete", min(float(self.value), 1.0), "content_filter")


@fault(
    "max-output-tokens",
    "breaks every response off at its greatest number of tokens",
    stage="response",
    default=40,
    value_help="tokens",
)
class MaxOutputTokens(Quirk):
    def session(self, session: dict[str, Any]) -> None:
        session["max_output_tokens"] = int(self.value)


@fault("reply-empty", "completes every response with nothing in it", stage="response")
class ReplyEmpty(Quirk):
    def ending(self) -> Ending:
        return Ending("completed")

    def sending(self, event: dict[str, Any]) -> Iterator[Output]:
        if event["type"] == "response.done":
            yield Send({**event, "response": {**event["response"], "output": []}})
        elif not is_of_an_item(event):
            yield Send(event)


@fault("reply-cut-off", "cancels every response before it is heard", stage="response")
class ReplyCutOff(Quirk):
    def ending(self) -> Ending:
        return Ending("cancelled", reason="client_cancelled")


@fault(
    "response-half",
    "falls silent in mid-response and never ends it",
    stage="response",
    default=0.4,
    value_help="the part of 1 that is made",
)
class ResponseHalf(Quirk):
    def ending(self) -> Ending:
        return Ending("", min(float(self.value), 1.0))


def is_of_an_item(event: dict[str, Any]) -> bool:
    """Whether it tells of what is in a response, or of the assistant's items."""
    if event["type"].startswith("conversation.item."):
        return bool(event.get("item", {}).get("role") == "assistant")
    in_response = event["type"].startswith("response.")
    return in_response and ("item_id" in event or "output_item" in event["type"])


@fault("response-slow", "takes long to answer", stage="response", default=4000, value_help="ms")
class ResponseSlow(Quirk):
    def settings(self, settings: ConversationSettings) -> ConversationSettings:
        return dataclasses.replace(settings, reply_delay_ms=int(self.value))


@fault("usage-missing", "does not say what a response cost", stage="response")
class UsageMissing(Quirk):
    def sending(self, event: dict[str, Any]) -> Iterator[Output]:
        if event["type"] == "response.done":
            response = {name: value for name, value in event["response"].items() if name != "usage"}
            event = {**event, "response": response}
        yield Send(event)


@fault(
    "transcription-failed",
    "fails to transcribe the caller",
    stage="response",
    default="audio_unintelligible",
    value_help="the error's code",
)
class TranscriptionFailed(Quirk):
    def transcription_error(self) -> dict[str, str]:
        message = "Input transcription failed for this item."
        return {"type": "server_error", "code": str(self.value), "message": message}


@fault(
    "transcript-wrong",
    "writes down other words than were said",
    stage="response",
    default="We would like a taxi to the airport, please",
    value_help="the words",
)
class TranscriptWrong(Quirk):
    def sending(self, event: dict[str, Any]) -> Iterator[Output]:
        if event["type"] == "conversation.item.input_audio_transcription.completed":
            event = {**event, "transcript": str(self.value)}
        yield Send(event)


@fault(
    "server-error", "has an error of its own in mid-call, and fails the response with it", stage="response"
)
class ServerError(Quirk):
    def __init__(self, value: FaultValue) -> None:
        super().__init__(value)
        self._session_id = ""

    def session(self, session: dict[str, Any]) -> None:
        self._session_id = session["id"]

    def sending(self, event: dict[str, Any]) -> Iterator[Output]:
        yield Send(event)
        if event["type"] == "response.created":
            error = {**self._error(), "param": None, "event_id": None}
            yield Send({"type": "error", "event_id": f"{event['event_id']}x", "error": error})

    def ending(self) -> Ending:
        return Ending("failed", error=self._error())

    def _error(self) -> dict[str, str]:
        message = "The server had an error while processing your request. Please give the session ID: "
        return {"type": "server_error", "code": "server_error", "message": f"{message}{self._session_id}"}


class _ChangesToolCalls(Quirk):
    """Another function call than the model made, wherever it is told of."""

    def changed(self, call: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def sending(self, event: dict[str, Any]) -> Iterator[Output]:
        if isinstance(item := event.get("item"), dict) and item.get("type") == "function_call":
            event = {**event, "item": self.changed(item)}
        elif event["type"] == "response.function_call_arguments.done":
            event = {**event, **self.changed({n: event[n] for n in ("name", "arguments") if n in event})}
        elif event["type"] == "response.done":
            output = [
                self.changed(item) if item.get("type") == "function_call" else item
                for item in event["response"].get("output", ())
            ]
            event = {**event, "response": {**event["response"], "output": output}}
        yield Send(event)


@fault("tool-arguments-broken", "breaks off the arguments of every function call", stage="response")
class ToolArgumentsBroken(_ChangesToolCalls):
    def changed(self, call: dict[str, Any]) -> dict[str, Any]:
        return {**call, "arguments": call["arguments"][:-1]} if call.get("arguments") else call


@fault("tool-arguments-missing", "calls every function without arguments", stage="response")
class ToolArgumentsMissing(_ChangesToolCalls):
    def changed(self, call: dict[str, Any]) -> dict[str, Any]:
        return {**call, "arguments": "{}"} if call.get("arguments") else call


@fault("tool-unknown", "calls a function that the session does not have", stage="response")
class ToolUnknown(_ChangesToolCalls):
    def changed(self, call: dict[str, Any]) -> dict[str, Any]:
        return {**call, "name": "no_such_tool"} if "name" in call else call
