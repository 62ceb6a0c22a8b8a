"""What the assistant says: audio with its transcript, text alone, or a call of a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from harness.core.audio import Samples
from harness.core.audio_format import FRAME_MS, RATE
from harness.fakes.openai.speaking import wire_audio
from harness.speech import generate, opus


def nothing() -> Samples:
    """No samples."""
    return generate.silence(0)


@dataclass(frozen=True)
class FunctionCall:
    """`arguments` is a JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, eq=False)
class SpokenReply:
    """One answer. Its audio is made when first asked for; `name` is the clip's, or says what it is.

    `make_packets` stands in where Opus packets exist already, so that nothing is encoded twice.
    """

    name: str
    transcript: str
    duration_ms: int = 0
    make_samples: Callable[[], Samples] = field(default=nothing, repr=False)
    make_packets: Callable[[], tuple[bytes, ...]] | None = field(default=None, repr=False)
    call: FunctionCall | None = None

    @cached_property
    def samples(self) -> Samples:
        """48 kHz mono int16."""
        return self.make_samples()

    @cached_property
    def packets(self) -> tuple[bytes, ...]:
        """Opus, 20 ms each."""
        return self.make_packets() if self.make_packets else opus.encode(self.samples)

    def wire(self, format_type: str) -> bytes:
        """As a WebSocket carries it: see `wire_audio`."""
        return wire_audio.encode(self.samples, format_type)

    def cut(self, duration_ms: int) -> SpokenReply:
        """The first part of the audio with the whole transcript."""
        if duration_ms >= self.duration_ms:
            return self
        return SpokenReply(
            name=self.name,
            transcript=self.transcript,
            duration_ms=max(duration_ms, 0),
            make_samples=lambda: self.samples[: max(duration_ms, 0) * RATE // 1000],
            make_packets=lambda: self.packets[: -(-max(duration_ms, 0) // FRAME_MS)],
            call=self.call,
        )
