"""Who answers: a recorded voice, an echo of the caller, or a tone that is the call's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from harness.core.audio import Samples
from harness.core.errors import UsageError
from harness.core.nearest import near
from harness.fakes.openai.speaking.replies import SpokenReply
from harness.speech.clip import Clip
from harness.speech.library import Library
from harness.speech.marks import MARKS, call_mark, mark_name, marked_tone

MARK_MS = 1500
VOICE_HELP = "recorded, recorded:CLIP, echo or mark"


@dataclass(frozen=True)
class HeardSpeech:
    """A stretch of the caller's audio: the Opus packets as they came, or samples at 48 kHz."""

    samples: Callable[[], Samples]
    packets: Callable[[], tuple[bytes, ...]] | None = None


# From start_ms to end_ms on the audio clock.
Recorder = Callable[[int, int], HeardSpeech]


@dataclass(frozen=True)
class Prompt:
    """What an answer is asked for with.

    `call_name` is the offer's ufrag. `language` (es, en) is that of what the caller said, where it is known.
    `utterance` is the last one's (start, end) on the audio clock.
    """

    call_name: str = ""
    ordinal: int = 0
    language: str = ""
    transcript: str = ""
    utterance: tuple[int, int] | None = None
    recorder: Recorder | None = None


class Voice(Protocol):
    """Makes the spoken replies of a call."""

    def reply(self, prompt: Prompt) -> SpokenReply: ...


class RecordedVoice:
    """Recorded clips of an assistant, one after the other; in the caller's language where it is known."""

    def __init__(self, library: Library, clip: str | None = None) -> None:
        """`clip`: only this one. Raises UsageError where there is none to play."""
        self._clips = [library.clip(clip)] if clip else _short_first(library)
        if not self._clips:
            raise UsageError(f"{library.directory} has no clip of role assistant", "add one to the manifest")

    def reply(self, prompt: Prompt) -> SpokenReply:
        fitting = [c for c in self._clips if c.language == prompt.language] or self._clips
        return clip_reply(fitting[prompt.ordinal % len(fitting)])


class EchoVoice:
    """Says back what the caller said, so that round trips can be measured and calls told apart."""

    def reply(self, prompt: Prompt) -> SpokenReply:
        if prompt.utterance is None or prompt.recorder is None:
            return mark_reply(prompt.call_name)
        start, end = prompt.utterance
        heard = prompt.recorder(start, end)
        return SpokenReply(
            name="echo",
            transcript=prompt.transcript,
            duration_ms=end - start,
            make_samples=heard.samples,
            make_packets=heard.packets,
        )


class MarkedVoice:
    """A tone that tells this call's audio from another's."""

    def reply(self, prompt: Prompt) -> SpokenReply:
        return mark_reply(prompt.call_name)


def voice_named(spec: str, library: Library) -> Voice:
    """`recorded`, `recorded:CLIP`, `echo` or `mark`. Raises UsageError."""
    kind, _, clip = spec.partition(":")
    if kind == "recorded":
        return RecordedVoice(library, clip or None)
    if spec == "echo":
        return EchoVoice()
    if spec == "mark":
        return MarkedVoice()
    found = near(spec, ("recorded", "echo", "mark"))
    raise UsageError(
        f"there is no voice {spec!r}", f"did you mean {found[0]}?" if found else f"give {VOICE_HELP}"
    )


def clip_reply(clip: Clip) -> SpokenReply:
    """A clip of the library as a reply; its audio is shared by all calls."""
    return SpokenReply(
        name=clip.name,
        transcript=clip.transcript,
        duration_ms=clip.duration_ms,
        make_samples=lambda: clip.samples,
        make_packets=lambda: clip.packets,
    )


def mark_reply(call_name: str) -> SpokenReply:
    """The call's own tone."""
    return _mark_reply(call_mark(call_name))


@lru_cache(maxsize=MARKS)
def _mark_reply(mark: int) -> SpokenReply:
    return SpokenReply(mark_name(mark), "(tone)", MARK_MS, lambda: marked_tone(mark, MARK_MS))


def _short_first(library: Library) -> list[Clip]:
    """The clips of role assistant, the shortest first, so that a plain call is a short one."""
    clips = [clip for clip in library.values() if clip.role == "assistant"]
    return sorted(clips, key=lambda clip: clip.duration_ms)
