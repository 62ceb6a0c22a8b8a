"""What the caller said, in words: known where a test told, else a configured text. Comes when it is ready."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.fakes.openai.conversation.input import HeardUtterance
from harness.fakes.openai.conversation.items import Items
from harness.fakes.openai.conversation.line import Line
from harness.fakes.openai.conversation.models import STREAMING
from harness.fakes.openai.conversation.usage import caller_audio_tokens, text_tokens

EVENT = "conversation.item.input_audio_transcription"
WORDS_SECONDS = 0.4  # from one piece to the next, about as fast as people speak


@dataclass(frozen=True)
class Said:
    """A caller's utterance in words; `language` (es, en) is empty where it is not known."""

    transcript: str
    language: str = ""


@dataclass
class _Stream:
    """The words of an utterance that is transcribed while it is spoken: those still to be sent."""

    said: Said
    pieces: list[str]


class Transcriber:
    """Transcribes what the caller says, if the session asks for it."""

    def __init__(self, line: Line, items: Items) -> None:
        self._line, self._items = line, items
        self._expected: Said | None = None
        self._streams: dict[str, _Stream | None] = {}

    def expect(self, said: Said) -> None:
        """This is what the caller says, now or next."""
        self._expected = said

    @property
    def next_is_finished(self) -> bool:
        """Whether what the caller is saying will be a whole sentence; yes where it is not known."""
        return self._expected is None or self._expected.transcript.rstrip().endswith((".", "?", "!"))

    def understand(self) -> Said:
        """The words of the utterance just committed."""
        said, self._expected = self._expected, None
        return said or Said(self._line.settings.transcript)

    def stream(self, item_id: str, wanted: Mapping[str, Any] | None, goes_on: Callable[[], bool]) -> None:
        """The caller has begun to say what will be this item: send words as they come, while it `goes_on`."""
        if wanted is None or wanted.get("model") not in STREAMING or item_id in self._streams:
            return
        self._streams[item_id] = None

        def next_word() -> None:
            if not goes_on():
                self._streams.pop(item_id, None)
                return
            stream = self._streams[item_id]
            if stream is None:
                said = self._expected or Said(self._line.settings.transcript)
                stream = self._streams[item_id] = _Stream(said, self._line.variation.deltas(said.transcript))
            if len(stream.pieces) > 1:  # the end is known only when it has been said
                self._send_delta(item_id, stream.pieces.pop(0))
            self._line.after(WORDS_SECONDS, next_word)

        self._line.after(WORDS_SECONDS, next_word)

    def transcribe(self, utterance: HeardUtterance, said: Said, wanted: dict[str, Any] | None) -> None:
        """Send the words when they are ready; `wanted` is the session's transcription setting."""
        stream = self._streams.pop(utterance.item.id, None)
        if wanted is None:
            return
        model = str(wanted.get("model") or "")
        said = stream.said if stream else said
        # Whisper gives its text at once, the others as they go.
        whole = (
            [said.transcript] if model.startswith("whisper") else self._line.variation.deltas(said.transcript)
        )
        pieces = stream.pieces if stream else whole
        delay = self._line.settings.transcription_delay_ms / 1000
        self._line.after(delay, lambda: self._finish(utterance, said, model, pieces))

    def _finish(self, utterance: HeardUtterance, said: Said, model: str, pieces: Sequence[str]) -> None:
        item = utterance.item
        if self._items.get(item.id) is not item:
            return
        where = {"item_id": item.id, "content_index": 0}
        error = self._line.behaviour.transcription_error()
        if error is not None:
            self._line.send(f"{EVENT}.failed", **where, error=error)
            return
        for delta in pieces:
            self._send_delta(item.id, delta)
        item.resource["content"][0]["transcript"] = said.transcript
        audio_ms = utterance.end_ms - utterance.start_ms
        if model.endswith("diarize"):
            segment = {"id": self._line.ids.new("seg"), "speaker": "A", "text": said.transcript}
            self._line.send(f"{EVENT}.segment", **where, **segment, start=0.0, end=audio_ms / 1000)
        by_duration = model in STREAMING or model.startswith("whisper")
        usage = _duration_usage(audio_ms) if by_duration else _token_usage(audio_ms, said.transcript)
        self._line.send(f"{EVENT}.completed", **where, transcript=said.transcript, usage=usage)

    def _send_delta(self, item_id: str, delta: str) -> None:
        where = {"item_id": item_id, "content_index": 0}
        self._line.send(f"{EVENT}.delta", **where, delta=delta, **self._line.obfuscation())


def _duration_usage(audio_ms: int) -> dict[str, Any]:
    return {"type": "duration", "seconds": math.ceil(audio_ms / 1000)}


def _token_usage(audio_ms: int, transcript: str) -> dict[str, Any]:
    audio, text = caller_audio_tokens(audio_ms), text_tokens(transcript)
    return {
        "type": "tokens",
        "total_tokens": audio + text,
        "input_tokens": audio,
        "input_token_details": {"text_tokens": 0, "audio_tokens": audio},
        "output_tokens": text,
    }
