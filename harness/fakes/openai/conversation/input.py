"""The input audio buffer: how much audio it holds, whether the caller is speaking, and what is committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.fakes.openai.conversation.items import Item, Items
from harness.fakes.openai.conversation.line import Line
from harness.fakes.openai.conversation.outputs import ClearInput
from harness.fakes.openai.conversation.refusals import RefusedError

LEAST_COMMIT_MS = 100


@dataclass(frozen=True)
class HeardUtterance:
    """What was committed: the user item, and where its audio lies on the audio clock."""

    item: Item
    start_ms: int
    end_ms: int


class InputBuffer:
    """Times are ms on the audio clock: since the first audio of the call."""

    def __init__(self, line: Line, items: Items) -> None:
        self._line = line
        self._items = items
        self._start_ms = 0
        self._total_ms = 0.0
        self._speech: tuple[str, int] | None = None
        self._reserved: str | None = None

    @property
    def total_ms(self) -> int:
        """The audio clock."""
        return int(self._total_ms)

    @property
    def speaking(self) -> bool:
        return self._speech is not None

    def heard(self, total_ms: int) -> None:
        """The audio clock moves, never back."""
        self._total_ms = max(self._total_ms, total_ms)

    def appended(self, duration_ms: float) -> None:
        """The client appended audio by an event."""
        self._total_ms += duration_ms

    def reserves(self, item_id: str) -> bool:
        """Whether what the caller is saying will be this item."""
        return item_id == self._reserved or (self._speech is not None and self._speech[0] == item_id)

    def reserve(self) -> str:
        """The id of the item that will be committed next."""
        self._reserved = self._reserved or self._line.ids.new("item")
        return self._reserved

    def speech_started(self, audio_ms: int) -> str:
        """The caller speaks; the padding before it cannot reach into what was committed already.

        Returns the id of the item that it will be.
        """
        self.heard(audio_ms)
        start = max(audio_ms, self._start_ms)
        self._speech = (self._line.ids.new("item"), start)
        self._line.send("input_audio_buffer.speech_started", audio_start_ms=start, item_id=self._speech[0])
        return self._speech[0]

    def speech_stopped(self, audio_ms: int) -> HeardUtterance:
        """The caller has spoken: commit it. Only while `speaking`."""
        if self._speech is None:
            raise ValueError("nobody is speaking")
        item_id, start = self._speech
        end = max(audio_ms, start)
        self.heard(end)
        self._line.send("input_audio_buffer.speech_stopped", audio_end_ms=end, item_id=item_id)
        return self._commit(item_id, start, end)

    def commit(self) -> HeardUtterance:
        """The client commits what there is. Raises RefusedError under 100 ms."""
        held = self.total_ms - self._start_ms
        if held < LEAST_COMMIT_MS:
            raise RefusedError(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{LEAST_COMMIT_MS}ms of audio, but buffer only has {held:.2f}ms of audio.",
            )
        item_id = self._speech[0] if self._speech else self.reserve()
        return self._commit(item_id, self._start_ms, self.total_ms)

    def time_out(self, silent_since_ms: int) -> HeardUtterance:
        """Nobody spoke for the idle timeout: the silence is committed as it is."""
        item_id = self._line.ids.new("item")
        start = max(silent_since_ms, self._start_ms)
        self._line.send(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=start,
            audio_end_ms=self.total_ms,
            item_id=item_id,
        )
        return self._commit(item_id, start, self.total_ms)

    def clear(self) -> None:
        """Forget what is buffered, and the utterance in progress."""
        self._start_ms = self.total_ms
        self.stop_listening()
        self._line.put(ClearInput())
        self._line.send("input_audio_buffer.cleared")

    def stop_listening(self) -> None:
        """Turn detection was switched off: the utterance in progress is nobody's any more."""
        self._speech = self._reserved = None

    def _commit(self, item_id: str, start: int, end: int) -> HeardUtterance:
        self._speech = self._reserved = None
        self._start_ms = max(self._start_ms, end)
        item = Item(_audio_message(item_id), audio_ms=end - start)
        previous = self._items.add(item)
        self._line.send("input_audio_buffer.committed", previous_item_id=previous, item_id=item_id)
        for name in ("conversation.item.added", "conversation.item.done"):
            self._line.send(name, previous_item_id=previous, item=item.snapshot())
        return HeardUtterance(item, start, end)


def _audio_message(item_id: str) -> dict[str, Any]:
    return {
        "id": item_id,
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_audio", "transcript": None}],
    }
