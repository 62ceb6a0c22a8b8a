"""The fake's ear: decoded packets in their order to the segmenter, and a memory of what was said."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from harness.core.audio import Samples
from harness.core.audio_format import FRAME_MS, RATE
from harness.fakes.openai.speaking.voices import HeardSpeech
from harness.speech.opus import SILENCE, Decoder

LONGEST_FILL = 50  # packets: a longer gap is a new beginning, not a loss
REMEMBERED_PACKETS = 3000  # one minute

SILENT_FRAME: Samples = np.zeros(RATE * FRAME_MS // 1000, np.int16)


class Ear:
    """Puts packets in order without waiting: a lost one becomes silence, a late one is dropped.

    `on_samples` gets 48 kHz samples; the audio clock is the ms of them since the first. A sender that stops
    sending stops the clock, as it does at the real server. Samples are handed on by so many packets
    `batch`.
    """

    def __init__(self, on_samples: Callable[[Samples], None], batch: int = 1) -> None:
        self._on_samples = on_samples
        self._batch = batch
        self._waiting: list[Samples] = []
        self._sounding = False  # whether anything that waits is more than silence
        self._silence = np.tile(SILENT_FRAME, batch)
        self._last: int | None = None
        self._memory: deque[bytes] = deque(maxlen=REMEMBERED_PACKETS)
        self._count = 0
        self.late = 0
        self.filled = 0

    def hear(self, sequence: int, payload: bytes, samples: Samples) -> None:
        """Take one packet; `sequence` is the extended one."""
        if self._last is not None and sequence <= self._last:
            self.late += 1
            return
        missing = 0 if self._last is None else sequence - self._last - 1
        self._last = sequence
        if 0 < missing <= LONGEST_FILL:
            self.filled += missing
            for _ in range(missing):
                self._take(SILENCE, SILENT_FRAME)
        self._take(payload, samples)

    def recall(self, start_ms: int, end_ms: int) -> HeardSpeech:
        """What was heard from start to end on the audio clock, as far as it is remembered."""
        first = self._count - len(self._memory)
        start, end = start_ms // FRAME_MS - first, -(-end_ms // FRAME_MS) - first
        packets = tuple(self._memory)[max(0, start) : max(0, end)]
        return HeardSpeech(samples=lambda: decoded(packets), packets=lambda: packets)

    def _take(self, payload: bytes, samples: Samples) -> None:
        self._memory.append(payload)
        self._count += 1
        self._waiting.append(samples)
        if samples is not SILENT_FRAME:
            self._sounding = True
        if len(self._waiting) >= self._batch:
            heard = np.concatenate(self._waiting) if self._sounding else self._silence
            self._waiting.clear()
            self._sounding = False
            self._on_samples(heard)


def decoded(packets: tuple[bytes, ...]) -> Samples:
    """Packets of one stream as samples."""
    decoder = Decoder()
    return np.concatenate([SILENT_FRAME[:0], *(decoder.decode(packet) for packet in packets)])
