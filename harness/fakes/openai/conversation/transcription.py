"""What the caller said, in words: known where a test told, else a configured text. Comes when it is ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.fakes.openai.conversation.input import Utterance
from harness.fakes.openai.conversation.items import Items
from harness.fakes.openai.conversation.line import Line
from harness.fakes.openai.conversation.usage import caller_audio_tokens, text_tokens


@dataclass(frozen=True)
class Said:
    """A caller's utterance in words; `language` (es, en) is empty where it is not known."""

    transcript: str
    language: str = ""


class Transcriber:
    """Transcribes committed audio, if the session asks for it."""

    def __init__(self, line: Line, items: Items) -> None:
        self._line, self._items = line, items
        self._expected: Said | None = None

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

    def transcribe(self, utterance: Utterance, said: Said, wanted: dict[str, Any] | None) -> None:
        """Send the words when they are ready; `wanted` is the session's transcription setting."""
        if wanted is None:
            return
        model = str(wanted.get("model") or "")
        delay = self._line.settings.transcription_delay_ms / 1000
        self._line.after(delay, lambda: self._send(utterance, said, model))

    def _send(self, utterance: Utterance, said: Said, model: str) -> None:
        item = utterance.item
        if self._items.get(item.id) is not item:
            return
        name = "conversation.item.input_audio_transcription"
        where = {"item_id": item.id, "content_index": 0}
        error = self._line.behaviour.transcription_error()
        if error is not None:
            self._line.send(f"{name}.failed", **where, error=error)
            return
        # Whisper gives its text at once, the others as they go.
        whole = model.startswith("whisper")
        for delta in [said.transcript] if whole else self._line.variation.deltas(said.transcript):
            self._line.send(f"{name}.delta", **where, delta=delta, **self._line.obfuscation())
        item.resource["content"][0]["transcript"] = said.transcript
        audio_ms = utterance.end_ms - utterance.start_ms
        if model.endswith("diarize"):
            segment = {"id": self._line.ids.new("seg"), "speaker": "A", "text": said.transcript}
            self._line.send(f"{name}.segment", **where, **segment, start=0.0, end=audio_ms / 1000)
        usage = _duration_usage(audio_ms) if whole else _token_usage(audio_ms, said.transcript)
        self._line.send(f"{name}.completed", **where, transcript=said.transcript, usage=usage)


def _duration_usage(audio_ms: int) -> dict[str, Any]:
    return {"type": "duration", "seconds": audio_ms / 1000}


def _token_usage(audio_ms: int, transcript: str) -> dict[str, Any]:
    audio, text = caller_audio_tokens(audio_ms), text_tokens(transcript)
    return {
        "type": "tokens",
        "total_tokens": audio + text,
        "input_tokens": audio,
        "input_token_details": {"text_tokens": 0, "audio_tokens": audio},
        "output_tokens": text,
    }
