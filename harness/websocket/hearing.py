"""What was played of a call's audio, recorded as packets are: one for each frame of 20 ms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.core.audio import AUDIBLE_DBFS, Samples, clipped_part, level_dbfs
from harness.core.audio_format import FRAME_SAMPLES, FRAME_SECONDS
from harness.core.audio_format import RATE as CALL_RATE
from harness.core.events import Event, Packet, PacketsReceived, StretchHeard
from harness.websocket.player import FRAME, RATE

BATCH = 50  # frames: one second
SSRC = 1  # there is one stream, and no RTP that would name it
PAUSE = 0.2  # seconds without a frame: a stretch is over

Resample = Callable[[Samples, int, int], Samples]


class PlayedAudio:
    """Frames as they were played. Times are those of the timeline; a light one keeps no frame."""

    def __init__(self, record: Callable[[Event], None], resample: Resample, *, light: bool = False) -> None:
        self._record = record
        self._resample = resample
        self._light = light
        self._batch: list[Packet] = []
        self._pieces: list[tuple[float, Samples]] = []
        self._sequence = 0
        self._timestamp = 0
        self._last_at: float | None = None
        self._stretch: tuple[float, float, bool, int, float] | None = None
        self.last_audible = float("-inf")

    def frame(self, at: float, samples: Samples, *, goes_on: bool) -> None:
        """A frame is played; `goes_on`: it follows the last one of the same item, however late it comes."""
        level = round(level_dbfs(samples), 1)
        if level >= AUDIBLE_DBFS:
            self.last_audible = at
        if self._last_at is not None:
            since = FRAME_SAMPLES if goes_on else max(FRAME_SAMPLES, round((at - self._last_at) * CALL_RATE))
            self._timestamp = (self._timestamp + since) & 0xFFFFFFFF
        late = at - self._last_at - FRAME_SECONDS if goes_on and self._last_at is not None else 0.0
        self._last_at = at
        if self._light:
            self._stretched(at, level >= AUDIBLE_DBFS, max(0.0, late))
            return
        if len(self._batch) >= BATCH:
            self.flush()
        packet = Packet(
            round(at, 6),
            self._sequence,
            self._timestamp,
            len(samples) * 2,
            level,
            round(clipped_part(samples), 4),
        )
        self._batch.append(packet)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._pieces.append((at, samples))

    def flush(self) -> None:
        """Write what was gathered to the timeline."""
        if self._batch:
            packets, self._batch = tuple(self._batch), []
            self._record(PacketsReceived(at=packets[0].at, ssrc=SSRC, packets=packets))
        if self._stretch is not None:
            since, until, audible, frames, stall = self._stretch
            self._stretch = None
            self._record(
                StretchHeard(
                    at=since,
                    until=until,
                    ssrc=SSRC,
                    audible=audible,
                    packets=frames,
                    media_ms=frames * 20.0,
                    stall_ms=round(1000 * stall, 3),
                )
            )

    def samples(self) -> Samples:
        """int16, 48 kHz, mono, from the timeline's zero on; what was not played is silence."""
        if not self._pieces:
            return np.zeros(0, np.int16)
        end = round(self._pieces[-1][0] * RATE) + 2 * FRAME
        audio = np.zeros(end, np.int16)
        position = 0
        for at, piece in self._pieces:
            # Ticks come a little early or late: frames that follow each other are joined.
            wanted = round(at * RATE)
            position = wanted if abs(wanted - position) > FRAME else position
            room = audio[position : position + len(piece)]
            room[:] = piece[: len(room)]
            position += len(piece)
        return self._resample(audio, RATE, CALL_RATE)

    def _stretched(self, at: float, audible: bool, late: float) -> None:
        found = self._stretch
        if found is not None and (found[2] != audible or at - found[1] > max(PAUSE, late + 0.04)):
            self.flush()
            found = None
        since, _, _, frames, stall = found or (at, at, audible, 0, 0.0)
        self._stretch = (since, at, audible, frames + 1, max(stall, late))
