"""One piece of audio, with what is true of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from harness.core.audio import Samples, merged
from harness.core.audio_format import RATE
from harness.speech import opus


@dataclass(frozen=True, eq=False)
class Clip:
    """One piece of audio. `speech`: true (start, end) of its speech in ms; () where nobody speaks.

    `role` is caller, interruption, short, backchannel (a sound by which a listener shows that it listens: it
    takes no turn), assistant, generated, or source (only cuts of it are said).
    `language` (es, en) and `speaker` (female, male) are empty where nobody speaks, and `several` where the
    parts differ. `make` gives its samples; `encoded` its packets, or None where nobody encoded it before.
    `noise_db`: how far below its speech noise lies under it; None without.
    """

    name: str
    role: str
    transcript: str
    language: str
    speaker: str
    licence: str
    source: str
    speech: tuple[tuple[int, int], ...]
    make: Callable[[], Samples] = field(repr=False)
    encoded: Callable[[], tuple[bytes, ...] | None] = field(default=lambda: None, repr=False)
    noise_db: float | None = None

    @cached_property
    def samples(self) -> Samples:
        """int16, 48 kHz, mono; read-only, for it is shared. Raises UsageError where its file is bad."""
        samples = self.make()
        samples.flags.writeable = False
        return samples

    @cached_property
    def packets(self) -> tuple[bytes, ...]:
        """Opus, 20 ms each; the last is filled up with silence."""
        return self.encoded() or opus.encode(self.samples)

    @property
    def duration_ms(self) -> int:
        return len(self.samples) * 1000 // RATE

    def utterances(self, silence_ms: int) -> list[tuple[int, int]]:
        """The speech as a detector that waits `silence_ms` should divide it into turns."""
        return merged(self.speech, silence_ms)
