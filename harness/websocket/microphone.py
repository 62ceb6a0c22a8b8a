"""What a page's microphone gives to a WebSocket: 20 ms of PCM at a time, or of silence. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harness.core.audio import Samples
from harness.websocket.player import FRAME

_SILENCE = np.zeros(FRAME, np.int16)
NOISE = 8  # of 32768: the faint noise of a live microphone, -75 dBFS


@dataclass(eq=False)
class SpokenSamples:
    """A clip on its way out, at 24 kHz; `on_ended` is told whether it was cut, `on_sent` that it is over."""

    samples: Samples
    on_started: Callable[[], None]
    on_ended: Callable[[bool], None]
    on_sent: Callable[[], None]
    at: int = 0


class PcmMicrophone:
    """While muted, what is said runs on, and silence goes out in its place. `seed`: of comfort noise."""

    def __init__(self, *, comfort_noise: bool = False, seed: int = 0) -> None:
        self.muted = False
        self._queue: deque[SpokenSamples] = deque()
        self._noise = np.random.default_rng(seed) if comfort_noise else None

    def say(self, spoken: SpokenSamples) -> None:
        """Behind what is being said."""
        self._queue.append(spoken)

    def fall_silent(self) -> None:
        """Break off what is being said, and drop what waits."""
        while self._queue:
            self._end(cut=True)

    def next_frame(self) -> Samples:
        """The next 20 ms."""
        piece = self._spoken() if self._queue else None
        if piece is None or self.muted:
            return self._silence()
        return np.concatenate([piece, _SILENCE[len(piece) :]]) if len(piece) < FRAME else piece

    def _spoken(self) -> Samples:
        spoken = self._queue[0]
        if spoken.at == 0:
            spoken.on_started()
        piece = spoken.samples[spoken.at : spoken.at + FRAME]
        spoken.at += FRAME
        if spoken.at >= len(spoken.samples):
            self._end(cut=False)
        return piece

    def _silence(self) -> Samples:
        if self._noise is None or self.muted:
            return _SILENCE
        return self._noise.integers(-NOISE, NOISE + 1, FRAME, dtype=np.int16)

    def _end(self, *, cut: bool) -> None:
        spoken = self._queue.popleft()
        if spoken.at:
            spoken.on_ended(cut)
        spoken.on_sent()
