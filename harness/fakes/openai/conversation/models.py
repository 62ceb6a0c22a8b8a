"""The models that the fake has, and the defaults of a session with each; the evidence: docs/fake.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """A Realtime model. `reasons`: its items have a `phase`, and its usage `reasoning_tokens`."""

    voice: str
    silence_duration_ms: int
    reasons: bool = False


MODELS = {
    "gpt-realtime": Model("alloy", 200),
    "gpt-realtime-2.1": Model("marin", 500, reasons=True),
}
# Of the others nothing was recorded: each is taken to be like the recorded model of its generation.
MODELS |= {
    "gpt-realtime-2025-08-28": MODELS["gpt-realtime"],
    "gpt-realtime-mini": MODELS["gpt-realtime"],
    "gpt-realtime-mini-2025-10-06": MODELS["gpt-realtime"],
    "gpt-realtime-mini-2025-12-15": MODELS["gpt-realtime"],
    "gpt-realtime-1.5": MODELS["gpt-realtime"],
    "gpt-realtime-2": MODELS["gpt-realtime-2.1"],
    "gpt-realtime-2.1-mini": MODELS["gpt-realtime-2.1"],
}
TRANSCRIBERS = (
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe",
    "gpt-4o-transcribe-diarize",
    "gpt-live-transcribe",
    "gpt-realtime-whisper",
    "gpt-transcribe",
    "whisper-1",
)
STREAMING = ("gpt-realtime-whisper",)  # they transcribe while the caller still speaks
NEWEST = MODELS["gpt-realtime-2.1"]


def model_named(name: str) -> Model:
    """What is known of a model; one that nobody has heard of is like the newest."""
    return MODELS.get(name, NEWEST)
