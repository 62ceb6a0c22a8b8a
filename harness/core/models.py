"""Which of OpenAI's Realtime models are shut down, and when: dated facts, each with its source.

A model that this table does not name has no announced end that we know of. `KNOWN_ON` is the day on which the
sources were read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from harness.core.clock import Date

KNOWN_ON = Date(2026, 11, 26)

# The types of the openai package, 3.52: "Announced shutdown date", of the session's model and of its
# transcription's.
_PACKAGE = "openai-python 3.52, docstring of the session's model"
_PACKAGE_TRANSCRIPTION = "openai-python 3.52, docstring of AudioTranscription.model"
# The previews of audio and Realtime went on one day, together with the beta API.
_PAGE = "OpenAI, developers.openai.com/api/docs/deprecations"
PREVIEWS = ("gpt-4o-realtime-preview", "gpt-4o-mini-realtime-preview")


@dataclass(frozen=True)
class ShutDown:
    """When a model ends, who says so, and what to take instead."""

    model: str
    on: Date
    instead: str
    source: str

    def days_left(self, today: Date) -> int:
        """Whole days until it ends; 0 or less once it has."""
        return (self.on - today).days

    def told(self, today: Date) -> str:
        """`gpt-realtime ends on 2027-01-20, in 55 days (…); take …`."""
        left = self.days_left(today)
        when = f"ends on {self.on}, in {left} days" if left > 0 else f"was shut down on {self.on}"
        return f"{self.model} {when} ({self.source}); take {self.instead}"


def _table(on: Date, instead: str, source: str, *models: str) -> dict[str, ShutDown]:
    return {model: ShutDown(model, on, instead, source) for model in models}


SHUT_DOWNS: Mapping[str, ShutDown] = MappingProxyType(
    _table(
        Date(2026, 5, 7),
        "gpt-realtime-2.1",
        _PAGE,
        "gpt-4o-realtime-preview",
    )
    | _table(
        Date(2026, 5, 7),
        "gpt-realtime-2.1-mini",
        _PAGE,
        "gpt-4o-mini-realtime-preview",
    )
    | _table(Date(2027, 1, 20), "gpt-realtime-2.1", _PACKAGE, "gpt-realtime", "gpt-realtime-2025-08-28")
    | _table(
        Date(2027, 1, 20),
        "gpt-realtime-2.1-mini",
        _PACKAGE,
        "gpt-realtime-mini",
        "gpt-realtime-mini-2025-12-15",
        "gpt-audio-mini",
        "gpt-audio-mini-2025-12-15",
    )
    | _table(
        Date(2027, 2, 26),
        "gpt-transcribe",
        _PACKAGE_TRANSCRIPTION,
        "whisper-1",
        "gpt-4o-mini-transcribe",
        "gpt-4o-mini-transcribe-2025-12-15",
        "gpt-4o-transcribe",
        "gpt-4o-transcribe-diarize",
    )
)


def shut_down_of(model: str) -> ShutDown | None:
    """What is announced of a model; None where nothing is. Each snapshot of a preview went with it."""
    found = SHUT_DOWNS.get(model) or SHUT_DOWNS.get(_preview_of(model))
    return replace(found, model=model) if found else None


def is_preview(model: str) -> bool:
    """Whether it went with the beta API, before the endpoints that there are now."""
    return bool(_preview_of(model))


def _preview_of(model: str) -> str:
    return next((name for name in PREVIEWS if model.startswith(name)), "")


def day_of(wall_time: str) -> Date:
    """The day of an ISO 8601 moment; `KNOWN_ON` where there is none, as in a record without its beginning."""
    try:
        return Date.fromisoformat(wall_time[:10])
    except ValueError:
        return KNOWN_ON
