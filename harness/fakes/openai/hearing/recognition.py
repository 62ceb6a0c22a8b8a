"""What the caller says where it is a fixture: told from Opus packets, which our callers send unchanged."""

from __future__ import annotations

from pathlib import Path

from harness.core.audio_format import FRAME_MS
from harness.speech.clip import Clip
from harness.speech.library import Library

# From the first packets of speech on: long enough to survive some loss, short enough to be made at once.
LISTENED_MS = 800
LEAST_BYTES = 20  # anything shorter is silence or noise, and alike in many clips


class Recognizer:
    """Knows the beginning of every clip in which somebody speaks."""

    def __init__(self, library: Library) -> None:
        self._clips: dict[bytes, Clip] = {}
        spoken = [clip for clip in library.values() if clip.transcript and clip.speech]
        # A composed clip begins with the packets of its first part, whose transcript is the right one.
        for clip in sorted(spoken, key=lambda clip: len(clip.packets)):
            for packet in _beginning(clip):
                self._clips.setdefault(packet, clip)

    def clip(self, payload: bytes) -> Clip | None:
        """The clip that this packet is the beginning of."""
        return self._clips.get(payload)


_recognizers: dict[Path, Recognizer] = {}


def recognizer_of(library: Library) -> Recognizer:
    """One for each directory of fixtures: it is the same for all calls."""
    if library.directory not in _recognizers:
        _recognizers[library.directory] = Recognizer(library)
    return _recognizers[library.directory]


def _beginning(clip: Clip) -> list[bytes]:
    start = clip.speech[0][0] // FRAME_MS
    count = start + LISTENED_MS // FRAME_MS
    return [packet for packet in clip.packets[start:count] if len(packet) >= LEAST_BYTES]
