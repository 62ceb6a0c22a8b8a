"""One output item of a response: what is said in it piece by piece, and what opens and closes it."""

from __future__ import annotations

from typing import Any, Literal

from harness.fakes.openai.conversation.items import Item
from harness.fakes.openai.conversation.line import Line
from harness.fakes.openai.conversation.usage import Tokens, assistant_audio_tokens, text_tokens
from harness.fakes.openai.speaking.replies import SpokenReply

Form = Literal["audio", "text", "function_call"]


class OutputItem:
    """Opened once, closed once. `generated_ms`: the audio that exists so far."""

    def __init__(self, line: Line, response_id: str, index: int, form: Form, reply: SpokenReply) -> None:
        self._line, self._response_id, self._index = line, response_id, index
        self.form, self.reply = form, reply
        self.generated_ms = 0
        self._item: Item | None = None
        self._place: tuple[str | None, bool] | None = None
        self._said = ""
        self._part_open = False
        self._closed = False

    @property
    def item(self) -> Item:
        """Raises ValueError before it is opened."""
        if self._item is None:
            raise ValueError("the item is not open yet")
        return self._item

    @property
    def opened(self) -> bool:
        return self._item is not None

    def holds(self, item: Item) -> bool:
        """Whether it is this item, and still being made."""
        return self._item is item and not self._closed

    def open(self, item: Item, place: tuple[str | None, bool] | None) -> None:
        """`item` is in progress from now on.

        `place`: the id of the item before, and whether that is the conversation's first; None for a response
        out of band, whose items are in no conversation.
        """
        self._item, self._place = item, place
        self._send_item("response.output_item.added")
        if place is not None:
            self._line.send("conversation.item.added", previous_item_id=place[0], item=item.snapshot())
        if self.form != "function_call":
            self._part_open = True
            self._send_part("response.content_part.added", part=self._part())

    def say(self, delta: str) -> None:
        """The next piece of the transcript, the text or the arguments."""
        self._said += delta
        hidden = self._line.obfuscation()
        if self.form == "function_call":
            self._send_call("response.function_call_arguments.delta", delta=delta, **hidden)
        else:
            kind = "output_audio_transcript" if self.form == "audio" else "output_text"
            self._send_part(f"response.{kind}.delta", delta=delta, **hidden)

    def carry(self, audio: str, end_ms: int) -> None:
        """The next piece of audio, base64, up to `end_ms` (WebSocket only)."""
        self.generated_ms = max(self.generated_ms, end_ms)
        self._send_part("response.output_audio.delta", delta=audio)

    def close(self, status: str) -> None:
        """Nothing more comes: `completed` or `incomplete`. Harmless where it is not open."""
        if self._item is None or self._closed:
            return
        self._closed = True
        if self._part_open:
            self._close_part()
        self._fill(self._item, status)
        if self._place is not None:
            # As recorded: after the conversation's first item, the API says that none was before.
            previous, follows_first = self._place
            told = None if follows_first else previous
            self._line.send("conversation.item.done", previous_item_id=told, item=self._item.snapshot())
        self._send_item("response.output_item.done")

    def spent(self) -> Tokens:
        """The output so far."""
        audio_ms = self.generated_ms if self.form == "audio" else 0
        return Tokens(text_tokens(self._said), assistant_audio_tokens(audio_ms))

    def _close_part(self) -> None:
        self._part_open = False
        if self.form == "audio":
            self._send_part("response.output_audio.done")
            self._send_part("response.output_audio_transcript.done", transcript=self._said)
        else:
            self._send_part("response.output_text.done", text=self._said)
        self._send_part("response.content_part.done", part=self._part())

    def _fill(self, item: Item, status: str) -> None:
        item.resource["status"] = status
        item.audio_ms = self.generated_ms if self.form == "audio" else 0
        if self.form == "function_call":
            item.resource["arguments"] = self._said
            name = item.resource["name"]
            self._send_call("response.function_call_arguments.done", name=name, arguments=self._said)
        elif self.form == "audio":
            item.resource["content"] = [{"type": "output_audio", "transcript": self._said}]
        else:
            item.resource["content"] = [{"type": "output_text", "text": self._said}]

    def _part(self) -> dict[str, Any]:
        if self.form == "audio":
            return {"type": "audio", "transcript": self._said}
        return {"type": "text", "text": self._said}

    def _send_item(self, name: str) -> None:
        where = {"response_id": self._response_id, "output_index": self._index}
        self._line.send(name, **where, item=self.item.snapshot())

    def _send_part(self, name: str, **fields: Any) -> None:
        self._line.send(name, **self._where(), content_index=0, **fields)

    def _send_call(self, event_type: str, **fields: Any) -> None:
        self._line.send(event_type, **self._where(), call_id=self.item.resource["call_id"], **fields)

    def _where(self) -> dict[str, Any]:
        return {"response_id": self._response_id, "item_id": self.item.id, "output_index": self._index}
