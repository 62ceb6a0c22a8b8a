"""Turn detection goes wrong: speech that is not noticed, not ended, torn apart, or made up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from harness.fakes.faults.registry import FaultValue
from harness.fakes.openai.conversation.behaviour import CONVERSATION, Quirk, Speech
from harness.fakes.openai.conversation.outputs import Output, Send
from harness.fakes.openai.conversation.settings import ConversationSettings

IMAGINED_MS = 600
WORDS_A_SECOND = 3  # about as fast as people speak

fault = CONVERSATION.fault


@fault("vad-deaf", "never notices that the caller speaks", stage="vad")
class VadDeaf(Quirk):
    def hearing(self, speech: Speech) -> Iterable[Speech]:
        return ()


@fault("vad-never-ends", "never notices that the caller has finished", stage="vad")
class VadNeverEnds(Quirk):
    def hearing(self, speech: Speech) -> Iterable[Speech]:
        return (speech,) if speech.started else ()


@fault(
    "vad-start-off",
    "says that speech started later than it did",
    stage="vad",
    default=400,
    value_help="ms",
)
class VadStartOff(Quirk):
    def hearing(self, speech: Speech) -> Iterable[Speech]:
        yield Speech(True, speech.audio_ms + int(self.value)) if speech.started else speech


@fault(
    "first-words-unheard",
    "hears nothing of how the caller begins, as behind a gate that opens late",
    stage="vad",
    default=800,
    value_help="ms of the caller's first words",
)
class FirstWordsUnheard(Quirk):
    def hearing(self, speech: Speech) -> Iterable[Speech]:
        yield Speech(True, speech.audio_ms + int(self.value)) if speech.started else speech

    def sending(self, event: dict[str, Any]) -> Iterable[Output]:
        if event["type"] == "conversation.item.input_audio_transcription.completed":
            words = event["transcript"].split()
            unheard = round(int(self.value) / 1000 * WORDS_A_SECOND)
            event = {**event, "transcript": " ".join(words[unheard:])}
        yield Send(event)


@fault("vad-end-off", "says that speech stopped later than it did", stage="vad", default=400, value_help="ms")
class VadEndOff(Quirk):
    def hearing(self, speech: Speech) -> Iterable[Speech]:
        yield speech if speech.started else Speech(False, speech.audio_ms + int(self.value))


@fault(
    "vad-splits",
    "takes one utterance for two",
    stage="vad",
    default=1300,
    value_help="ms after which it is split",
)
class VadSplits(Quirk):
    def __init__(self, value: FaultValue) -> None:
        super().__init__(value)
        self._split_at: int | None = None

    def hearing(self, speech: Speech) -> Iterator[Speech]:
        self._split_at = speech.audio_ms + int(self.value) if speech.started else None
        yield speech

    def heard(self, total_ms: int) -> Iterator[Speech]:
        if self._split_at is not None and total_ms >= self._split_at:
            self._split_at = None
            yield Speech(False, total_ms)
            yield Speech(True, total_ms)


@fault(
    "vad-merges",
    "takes two utterances for one",
    stage="vad",
    default=4000,
    value_help="ms of silence that are not noticed",
)
class VadMerges(Quirk):
    def __init__(self, value: FaultValue) -> None:
        super().__init__(value)
        self._ended: Speech | None = None

    def hearing(self, speech: Speech) -> Iterator[Speech]:
        if not speech.started:
            self._ended = speech
        elif self._ended is not None:
            self._ended = None
        else:
            yield speech

    def heard(self, total_ms: int) -> Iterator[Speech]:
        if self._ended is not None and total_ms >= self._ended.audio_ms + int(self.value):
            yield Speech(False, total_ms)
            self._ended = None


class Imagines(Quirk):
    """Hears speech that is not there, once it has begun to `imagine`."""

    def __init__(self, value: FaultValue) -> None:
        super().__init__(value)
        self._until: int | None = None

    def imagine(self, total_ms: int) -> Iterator[Speech]:
        """Speech begins now, and ends as the audio clock moves on."""
        self._until = total_ms + IMAGINED_MS
        yield Speech(True, total_ms)

    def heard(self, total_ms: int) -> Iterator[Speech]:
        if self._until is not None and total_ms >= self._until:
            self._until = None
            yield Speech(False, total_ms)


@fault(
    "vad-on-silence",
    "hears speech where there is silence",
    stage="vad",
    default=1500,
    value_help="ms of silence before it does",
)
class VadOnSilence(Imagines):
    def __init__(self, value: FaultValue) -> None:
        super().__init__(value)
        self._silent_since: int | None = 0

    def hearing(self, speech: Speech) -> Iterator[Speech]:
        self._silent_since = None if speech.started else speech.audio_ms
        self._until = None
        yield speech

    def heard(self, total_ms: int) -> Iterator[Speech]:
        yield from super().heard(total_ms)
        if self._silent_since is not None and total_ms >= self._silent_since + int(self.value):
            self._silent_since = None
            yield from self.imagine(total_ms)


@fault(
    "vad-on-own-voice",
    "takes the assistant's own voice for the caller's",
    stage="vad",
    default=800,
    value_help="ms into the reply",
)
class VadOnOwnVoice(Imagines):
    def __init__(self, value: FaultValue) -> None:
        super().__init__(value)
        self._done = False

    def played(self, played_ms: int, total_ms: int) -> Iterator[Speech]:
        if not self._done and played_ms >= int(self.value):
            self._done = True
            yield from self.imagine(total_ms)


@fault("barge-in-ignored", "speaks on when the caller interrupts", stage="vad")
class BargeInIgnored(Quirk):
    def interruptible(self) -> bool:
        return False


@fault("hum-interrupts", "cuts its reply off at any voice, whatever interrupt_response says", stage="vad")
class HumInterrupts(Quirk):
    def settings(self, settings: ConversationSettings) -> ConversationSettings:
        return replace(settings, always_clears=True)
