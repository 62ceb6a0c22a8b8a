"""The eleven events that a client may send, each carried out or refused as a whole."""

from __future__ import annotations

import base64
import binascii
import copy
from collections.abc import Callable, Mapping
from typing import Any

from harness.core.realtime_events import client_event_flaw, client_events
from harness.fakes.openai.conversation import ranges
from harness.fakes.openai.conversation.input import InputBuffer
from harness.fakes.openai.conversation.items import ROOT, Item, Items
from harness.fakes.openai.conversation.line import Line
from harness.fakes.openai.conversation.outputs import AppendInput
from harness.fakes.openai.conversation.refusals import RefusedError, flawed, invalid_value, unknown_item
from harness.fakes.openai.conversation.responder import Responder
from harness.fakes.openai.conversation.session import Session, check_session
from harness.fakes.openai.conversation.turns import Turns
from harness.fakes.openai.speaking.wire_audio import BYTES_PER_MS

Event = Mapping[str, Any]

LONGEST_APPEND = 15 * 1024 * 1024  # bytes of audio (SDK)
LONGEST_ITEM_ID = 32  # observed in the beta; kept


class ClientEvents:
    """Takes one client event at a time."""

    def __init__(
        self,
        line: Line,
        session: Session,
        items: Items,
        buffer: InputBuffer,
        turns: Turns,
        responder: Responder,
    ) -> None:
        self._line, self._session, self._items = line, session, items
        self._input, self._turns, self._responder = buffer, turns, responder
        self._handlers: dict[str, Callable[[Event], None]] = {
            "session.update": self._update_session,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": lambda _: turns.commit(),
            "input_audio_buffer.clear": lambda _: buffer.clear(),
            "output_audio_buffer.clear": lambda _: responder.clear_output(),
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve_item,
            "conversation.item.truncate": self._truncate_item,
            "conversation.item.delete": self._delete_item,
            "response.create": self._create_response,
            "response.cancel": lambda event: responder.cancel(event.get("response_id")),
        }

    def handle(self, event: Event) -> None:
        """Raises RefusedError, having changed nothing."""
        name = event.get("type")
        if "type" not in event:
            raise RefusedError(
                "missing_required_parameter", "Missing required parameter: 'type'.", param="type"
            )
        if not isinstance(name, str) or name not in client_events():
            supported = ", ".join(f"'{known}'" for known in sorted(client_events()))
            raise invalid_value("type", f"Supported values are: {supported}.")
        flaw = client_event_flaw(_as_typed(event))
        if flaw is not None:
            raise flawed(flaw)
        if self._line.behaviour.ignores(dict(event)):
            return
        self._handlers[name](event)

    def _update_session(self, event: Event) -> None:
        check_session(event["session"])
        before = self._session.effective
        self._session.update(event["session"])
        if not self._line.behaviour.applies(dict(event)):
            self._session.effective = before
        self._line.behaviour.session(self._session.effective)
        if self._session.turn_detection is None:
            self._input.stop_listening()
        self._line.send("session.updated", session=copy.deepcopy(self._session.effective))

    def _append(self, event: Event) -> None:
        audio = _decoded("audio", event["audio"])
        if len(audio) > LONGEST_APPEND:
            raise invalid_value("audio", "Expected at most 15 MiB of audio.")
        self._line.put(AppendInput(audio, self._session.input_format))
        self._input.appended(len(audio) / BYTES_PER_MS[self._session.input_format])
        self._turns.audio_came()

    def _create_item(self, event: Event) -> None:
        resource = copy.deepcopy(dict(event["item"]))
        after = event.get("previous_item_id")
        if after is not None and after != ROOT and self._items.get(after) is None:
            raise invalid_value("previous_item_id", f"There is no item with id '{after}'.")
        item = self._new_item(resource)
        previous = self._items.add(item, after)
        for name in ("conversation.item.added", "conversation.item.done"):
            self._line.send(name, previous_item_id=previous, item=item.snapshot())

    def _new_item(self, resource: dict[str, Any]) -> Item:
        kind = resource["type"]
        if kind not in ("message", "function_call", "function_call_output"):
            raise invalid_value("item.type", "This server knows no MCP servers.")
        if kind == "function_call_output" and not self._items.knows_call(resource["call_id"]):
            call_id = resource["call_id"]
            raise RefusedError(
                "invalid_tool_call_id",
                f"Tool call ID '{call_id}' not found in conversation.",
                param="item.call_id",
            )
        item_id = resource.get("id") or self._line.ids.new("item")
        if len(item_id) > LONGEST_ITEM_ID:
            raise invalid_value("item.id", f"Expected at most {LONGEST_ITEM_ID} characters.")
        if self._items.get(item_id) is not None or self._input.reserves(item_id):
            raise invalid_value("item.id", f"There is an item with id '{item_id}' already.")
        if kind == "function_call" and not resource.get("call_id"):
            resource["call_id"] = self._line.ids.new("call")
        audio_ms = self._content_ms(resource)
        shown = {name: value for name, value in resource.items() if value is not None}
        shown |= {"id": item_id, "status": "completed"}
        if kind == "function_call_output":
            del shown["status"]
        shown.pop("object", None)
        return Item(shown, audio_ms=audio_ms)

    def _content_ms(self, resource: dict[str, Any]) -> int:
        """How much audio a message holds; the audio itself is not kept in the item."""
        length = 0.0
        for index, part in enumerate(resource.get("content") or ()):
            path = f"item.content[{index}]"
            if "type" not in part:
                raise RefusedError(
                    "missing_required_parameter", f"Missing required parameter: '{path}.type'.", param=path
                )
            if part["type"] == "output_audio":
                raise invalid_value(f"{path}.type", "Assistant audio cannot be put into a conversation.")
            if part["type"] == "input_audio":
                length += len(_decoded(f"{path}.audio", part.pop("audio", None)))
                part.setdefault("transcript", None)
        return int(length / BYTES_PER_MS[self._session.input_format])

    def _retrieve_item(self, event: Event) -> None:
        item = self._items.get(event["item_id"])
        if item is None:
            raise unknown_item("retrieve", event["item_id"])
        self._line.send("conversation.item.retrieved", item=item.snapshot())

    def _delete_item(self, event: Event) -> None:
        item = self._items.get(event["item_id"])
        if item is None or item.in_progress:
            raise unknown_item("delete", event["item_id"])
        self._items.remove(item)
        self._line.send("conversation.item.deleted", item_id=item.id)

    def _truncate_item(self, event: Event) -> None:
        item = self._items.get(event["item_id"])
        if item is None:
            raise unknown_item("truncate", event["item_id"])
        held = self._responder.generated_ms(item)
        if not item.by_assistant or not held:
            raise RefusedError(
                "unsupported_content_type", "Only model output audio messages can be truncated"
            )
        if event["content_index"] != 0:
            raise invalid_value("content_index", "Expected 0.")
        asked = event["audio_end_ms"]
        if asked < 0:
            raise invalid_value("audio_end_ms", "Expected 0 or more.")
        if asked > held:
            raise RefusedError(
                "invalid_value", f"Audio content of {held}ms is already shorter than {asked}ms"
            )
        item.truncate(event["audio_end_ms"])
        self._line.send(
            "conversation.item.truncated",
            item_id=item.id,
            content_index=0,
            audio_end_ms=event["audio_end_ms"],
        )

    def _create_response(self, event: Event) -> None:
        if self._session.transcribes:
            raise RefusedError("invalid_parameter", "A transcription session makes no responses.")
        parameters = dict(event.get("response") or {})
        ranges.check_response(parameters)
        voice = ((parameters.get("audio") or {}).get("output") or {}).get("voice")
        if voice is not None:
            self._session.check_voice(voice)
        given = parameters.pop("input", None)
        items = None if given is None else [self._given_item(i, item) for i, item in enumerate(given)]
        self._responder.create(parameters, self._turns.prompt(), items)
        self._turns.answered()

    def _given_item(self, index: int, resource: Mapping[str, Any]) -> Item:
        """An item of `response.input`: itself, or one of the conversation by reference."""
        if resource.get("type") != "item_reference":
            return Item(dict(resource))
        found = self._items.get(resource["id"])
        if found is None:
            raise invalid_value(f"response.input[{index}].id", f"There is no item '{resource['id']}'.")
        return found


def _as_typed(event: Event) -> Event:
    """The event as the SDK types it, without references to items; a session has a check of its own."""
    if event["type"] == "session.update" and "session" in event:
        return {**event, "session": {"type": "realtime"}}
    response = event.get("response")
    if event["type"] != "response.create" or not isinstance(response, Mapping):
        return event
    given = response.get("input")
    if not isinstance(given, list):
        return event
    return {**event, "response": {**response, "input": [item for item in given if not _is_reference(item)]}}


def _is_reference(item: object) -> bool:
    return (
        isinstance(item, Mapping)
        and item.get("type") == "item_reference"
        and isinstance(item.get("id"), str)
        and set(item) == {"type", "id"}
    )


def _decoded(path: str, audio: object) -> bytes:
    try:
        return base64.b64decode(str(audio or ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid_value(path, "Expected base64-encoded audio.") from error
