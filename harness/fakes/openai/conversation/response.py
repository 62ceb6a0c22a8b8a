"""One response: its resource, its one output item, and the events that open and close them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.fakes.openai.conversation.behaviour import Ending
from harness.fakes.openai.conversation.items import Item
from harness.fakes.openai.conversation.line import Line
from harness.fakes.openai.conversation.usage import Tokens, assistant_audio_tokens, text_tokens, usage
from harness.fakes.openai.replies import Reply

Form = Literal["audio", "text", "function_call"]


@dataclass
class Response:
    """A response in progress.

    `context` and `cached`: what its input costs. `parameters`: what it was made with. `generated_ms`: the
    audio that exists so far.
    """

    line: Line
    id: str
    reply: Reply
    form: Form
    parameters: dict[str, Any]
    conversation_id: str | None
    context: Tokens
    cached: Tokens
    ending: Ending | None = None
    item: Item | None = None
    previous_item_id: str | None = None
    follows_first: bool = False
    said: str = ""
    generated_ms: int = 0
    status: str = "in_progress"
    status_details: dict[str, Any] | None = None
    part_open: bool = False
    output: list[dict[str, Any]] = field(default_factory=list)

    @property
    def in_conversation(self) -> bool:
        return self.conversation_id is not None

    # --- opening ---

    def create(self) -> None:
        self.line.send("response.created", response=self.resource())

    def open_item(self, item: Item, previous_item_id: str | None, *, follows_first: bool) -> None:
        """`item` is in progress and, unless the response is out of band, in the conversation already.

        `follows_first`: the item before is the conversation's first. When the item is done, the API then says
        that none is before it.
        """
        self.item, self.previous_item_id, self.follows_first = item, previous_item_id, follows_first
        self.line.send(
            "response.output_item.added", response_id=self.id, output_index=0, item=item.snapshot()
        )
        if self.in_conversation:
            self.line.send("conversation.item.added", previous_item_id=previous_item_id, item=item.snapshot())

    def open_part(self) -> None:
        """Audio or text follows."""
        self.part_open = True
        self._send_part_event("response.content_part.added", part=self._part())

    # --- in progress ---

    def say(self, delta: str) -> None:
        """The next piece of the transcript, the text or the arguments."""
        self.said += delta
        if self.form == "function_call":
            self._send_call_event(
                "response.function_call_arguments.delta", delta=delta, **self.line.obfuscation()
            )
        else:
            kind = "output_audio_transcript" if self.form == "audio" else "output_text"
            self._send_part_event(f"response.{kind}.delta", delta=delta, **self.line.obfuscation())

    def carry(self, audio: str, end_ms: int) -> None:
        """The next piece of audio, base64, up to `end_ms` (WebSocket only)."""
        self.generated_ms = max(self.generated_ms, end_ms)
        self._send_part_event("response.output_audio.delta", delta=audio)

    # --- closing ---

    def finish(self, status: str, *, reason: str = "", error: dict[str, str] | None = None) -> None:
        """Close what is open, then the response: completed, cancelled, incomplete or failed."""
        if self.part_open:
            self._close_part()
        if self.item is not None:
            self._close_item(self.item, "completed" if status == "completed" else "incomplete")
        self.status = status
        if status != "completed":
            given = {"reason": reason, "error": error}
            self.status_details = {"type": status, **{k: v for k, v in given.items() if v}}
        spent = usage(self.context, self.cached, self.spent())
        self.line.send("response.done", response={**self.resource(), "usage": spent})

    def _close_part(self) -> None:
        self.part_open = False
        if self.form == "audio":
            self._send_part_event("response.output_audio.done")
            self._send_part_event("response.output_audio_transcript.done", transcript=self.said)
        else:
            self._send_part_event("response.output_text.done", text=self.said)
        self._send_part_event("response.content_part.done", part=self._part())

    def _close_item(self, item: Item, status: str) -> None:
        item.resource["status"] = status
        item.audio_ms = self.generated_ms if self.form == "audio" else 0
        if self.form == "function_call":
            item.resource["arguments"] = self.said
            self._send_call_event(
                "response.function_call_arguments.done",
                name=item.resource["name"],
                arguments=self.said,
            )
        elif self.form == "audio":
            item.resource["content"] = [{"type": "output_audio", "transcript": self.said}]
        else:
            item.resource["content"] = [{"type": "output_text", "text": self.said}]
        self.output = [item.snapshot()]
        if self.in_conversation:
            previous = None if self.follows_first else self.previous_item_id
            self.line.send("conversation.item.done", previous_item_id=previous, item=item.snapshot())
        self.line.send("response.output_item.done", response_id=self.id, output_index=0, item=item.snapshot())

    # --- what it looks like, what it costs ---

    def resource(self) -> dict[str, Any]:
        """The `response` of response.created and response.done."""
        resource = {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": copy.deepcopy(self.status_details),
            "usage": None,
            "output": copy.deepcopy(self.output),
            "conversation_id": self.conversation_id,
        }
        return {**resource, **copy.deepcopy(self.parameters)}

    def spent(self) -> Tokens:
        """The output so far."""
        audio_ms = self.generated_ms if self.form == "audio" else 0
        return Tokens(text_tokens(self.said), assistant_audio_tokens(audio_ms))

    def _part(self) -> dict[str, Any]:
        if self.form == "audio":
            return {"type": "audio", "transcript": self.said}
        return {"type": "text", "text": self.said}

    def _send_part_event(self, name: str, **fields: Any) -> None:
        where = {"response_id": self.id, "item_id": self._item_id(), "output_index": 0, "content_index": 0}
        self.line.send(name, **where, **fields)

    def _send_call_event(self, event_type: str, **fields: Any) -> None:
        call_id = self.item.resource["call_id"] if self.item else ""
        where = {"response_id": self.id, "item_id": self._item_id(), "output_index": 0, "call_id": call_id}
        self.line.send(event_type, **where, **fields)

    def _item_id(self) -> str:
        return self.item.id if self.item else ""
