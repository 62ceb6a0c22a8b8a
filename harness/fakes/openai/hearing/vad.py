"""Where the caller's speech starts and ends, as the session's turn detection has it. Pure, no thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from harness.core.audio import SILENCE_DBFS, Samples, level_dbfs
from harness.core.audio_format import RATE as CALL_RATE
from harness.fakes.openai.conversation.settings import SEMANTIC_LONGEST_MS, SEMANTIC_SILENCE_MS
from harness.fakes.openai.hearing import detectors
from harness.fakes.openai.hearing.detectors import RATE, Engine
from harness.speech.pcm import Resampler

# The probability falls more slowly than speech ends, in noise by up to four frames. So a frame that is only
# likely to be speech ends an utterance if it stands out from the background; a certain one does in any case.
# With both, starts and ends lie within 100 ms of the fixtures' truth (see its tests).
CERTAIN = 0.95
ABOVE_BACKGROUND_DB = 3.0
QUIETEST_BACKGROUND_DBFS = -60.0
BACKGROUND_MS = 3000
BACKGROUND_PART = 0.1  # the background is as loud as the quietest tenth: pauses between words

# Speech goes on while the probability is not much lower than what starts it.
HYSTERESIS = 0.15
# The probability takes a few frames to rise: speech began where the rise did.
RISE = 0.5
LONGEST_RISE_MS = 128


@dataclass(frozen=True)
class SpeechStarted:
    """`audio_ms` on the audio clock, the prefix padding subtracted: what `audio_start_ms` says."""

    audio_ms: int


@dataclass(frozen=True)
class SpeechStopped:
    """`audio_ms` on the audio clock, the silence included: what `audio_end_ms` says."""

    audio_ms: int


@dataclass(frozen=True)
class TurnSettings:
    """What the segmenter goes by."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500

    @classmethod
    def of(cls, turn_detection: Mapping[str, Any], *, finished: bool = True) -> TurnSettings:
        """Those of a session's turn detection.

        `finished`: whether what is said ends a sentence; semantic_vad waits its longest where it does not.
        """
        if turn_detection["type"] == "semantic_vad":
            waits = SEMANTIC_SILENCE_MS if finished else SEMANTIC_LONGEST_MS
            return cls(silence_duration_ms=waits[turn_detection.get("eagerness") or "auto"])
        return cls(
            threshold=turn_detection["threshold"],
            prefix_padding_ms=turn_detection["prefix_padding_ms"],
            silence_duration_ms=turn_detection["silence_duration_ms"],
        )


class _Frame(NamedTuple):
    """One frame that was judged; `end_ms` on the audio clock."""

    end_ms: int
    probability: float
    level: float


class Segmenter:
    """Samples of any length in, starts and stops out; their stamps lie on the detector's grid.

    The audio clock counts all samples pushed, also while turn detection is off.
    """

    def __init__(self, engine: Engine = "silero", *, rate: int = CALL_RATE) -> None:
        """`rate`: of the samples, 8000 to 48000 Hz."""
        self._rate = rate
        self._detector = detectors.borrow(engine)
        self._frame_ms = self._detector.frame_ms
        # As it comes, where the detector takes that: resampling costs more than WebRTC's detector does.
        self._judged_rate = rate if rate in self._detector.rates else RATE
        self._resampler = None if self._judged_rate == rate else Resampler(self._judged_rate)
        self._rest = np.zeros(0, np.int16)
        self._pushed = 0
        self._judged_ms = 0
        self._settings: TurnSettings | None = TurnSettings()
        self._recent: deque[_Frame] = deque(maxlen=BACKGROUND_MS // self._frame_ms)
        self._speaking = False
        self._tail: list[_Frame] = []

    def close(self) -> None:
        """The stream is over: the detector may serve another."""
        detectors.give_back(self._detector)

    @property
    def heard_ms(self) -> int:
        """The audio clock."""
        return self._pushed * 1000 // self._rate

    @property
    def speaking(self) -> bool:
        return self._speaking

    def configure(self, settings: TurnSettings | None) -> None:
        """Go by these from now on; None switches turn detection off."""
        if settings is None or self._settings is None:
            self.clear()
        self._settings = settings

    def clear(self) -> None:
        """Forget the utterance in progress."""
        self._speaking = False
        self._recent.clear()

    def push(self, samples: Samples) -> list[SpeechStarted | SpeechStopped]:
        """The next samples of the stream, int16."""
        self._pushed += len(samples)
        if samples.size:
            judged = samples if self._resampler is None else self._resampler.push(samples, self._rate)
            self._rest = np.concatenate([self._rest, judged]) if self._rest.size else judged
        size = self._frame_ms * self._judged_rate // 1000
        whole = len(self._rest) - len(self._rest) % size
        frames, self._rest = self._rest[:whole].reshape(-1, size), self._rest[whole:]
        silent = not frames.any()  # as most of what callers send
        if silent and not self._speaking and self._pass_over(len(frames)):
            return []
        found: list[SpeechStarted | SpeechStopped] = []
        for frame in frames:
            self._judged_ms += self._frame_ms
            if self._settings is not None:
                level = SILENCE_DBFS if silent else level_dbfs(frame)
                found += self._judge(frame, level, self._settings)
        return found

    def _pass_over(self, frames: int) -> bool:
        """Take so many frames of silence at once where that may be: in silence nobody begins to speak."""
        likely = self._detector.silence(frames) if self._settings is not None else None
        if likely is None:
            return False
        for probability in likely:
            self._judged_ms += self._frame_ms
            self._recent.append(_Frame(self._judged_ms, probability, QUIETEST_BACKGROUND_DBFS))
        return True

    def _judge(
        self, samples: Samples, level: float, settings: TurnSettings
    ) -> list[SpeechStarted | SpeechStopped]:
        probability = self._detector.probability(samples, self._judged_rate, level)
        frame = _Frame(self._judged_ms, probability, max(level, QUIETEST_BACKGROUND_DBFS))
        self._recent.append(frame)
        if not self._speaking:
            if frame.probability < settings.threshold:
                return []
            self._speaking, self._tail = True, [frame]
            start = self._risen_ms(settings) - self._on_grid(settings.prefix_padding_ms)
            return [SpeechStarted(max(start, 0))]
        if frame.probability >= max(CERTAIN, settings.threshold):
            self._tail = [frame]
            return []
        if frame.probability >= settings.threshold - HYSTERESIS:
            self._tail.append(frame)
        silence = self._on_grid(settings.silence_duration_ms)
        if frame.end_ms < self._tail[0].end_ms + silence:  # the end lies there or later, wherever it is
            return []
        end = self._end_ms() + silence
        if frame.end_ms < end:
            return []
        self._speaking = False
        return [SpeechStopped(end)]

    def _risen_ms(self, settings: TurnSettings) -> int:
        """Where the frames begin over which the probability rose to the threshold."""
        frames = list(self._recent)[-1 - LONGEST_RISE_MS // self._frame_ms :]
        start = frames[-1]
        for frame in reversed(frames[:-1]):
            if frame.probability < settings.threshold * RISE:
                break
            start = frame
        return start.end_ms - self._frame_ms

    def _end_ms(self) -> int:
        """Where the last frame of the tail ends that is speech for certain, or stands out."""
        levels = sorted(frame.level for frame in self._recent)
        background = levels[int(len(levels) * BACKGROUND_PART)]
        audible = [frame for frame in self._tail[1:] if frame.level >= background + ABOVE_BACKGROUND_DB]
        return (audible or self._tail)[-1 if audible else 0].end_ms

    def _on_grid(self, duration_ms: int) -> int:
        return round(duration_ms / self._frame_ms) * self._frame_ms
