"""What the timeline says of the Realtime session: the one in force at a moment, and its turn detection."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.core.fields import field, number, table
from harness.core.timeline import Timeline

# The documented defaults (Realtime guide, voice activity detection) where a session does not say.
PREFIX_PADDING_MS = 300
SILENCE_DURATION_MS = 500


@dataclass(frozen=True)
class TurnDetection:
    """The voice activity detection in force. `kind`: `off` for null, `unknown` where no session was seen."""

    kind: Literal["server_vad", "semantic_vad", "off", "unknown"]
    prefix_padding_ms: int = PREFIX_PADDING_MS
    silence_duration_ms: int = SILENCE_DURATION_MS
    create_response: bool = True
    interrupt_response: bool = True


def session_in_force(timeline: Timeline, at: float = float("inf")) -> dict[str, Any]:
    """The session of the last session.created or session.updated before `at`; empty where none was seen."""
    told = timeline.once(_told_sessions)
    found = bisect.bisect_left(told, at, key=lambda each: each[0])
    return told[found - 1][1] if found else {}


def _told_sessions(timeline: Timeline) -> list[tuple[float, dict[str, Any]]]:
    events = timeline.server_events("session.created", "session.updated")
    return [(e.at, table(e.event, "session")) for e in events if isinstance(field(e.event, "session"), dict)]


def turn_detection(session: Mapping[str, Any]) -> TurnDetection:
    """Read `audio.input.turn_detection`, or the retired beta's `turn_detection` where only that is there."""
    audio_input = field(session, "audio", "input")
    holder = audio_input if isinstance(audio_input, Mapping) else session
    if "turn_detection" not in holder:
        return TurnDetection("unknown")
    value = holder["turn_detection"]
    if not isinstance(value, Mapping):
        return TurnDetection("off")
    return TurnDetection(
        kind="semantic_vad" if value.get("type") == "semantic_vad" else "server_vad",
        prefix_padding_ms=_milliseconds(value.get("prefix_padding_ms"), PREFIX_PADDING_MS),
        silence_duration_ms=_milliseconds(value.get("silence_duration_ms"), SILENCE_DURATION_MS),
        create_response=value.get("create_response") is not False,
        interrupt_response=value.get("interrupt_response") is not False,
    )


def turn_detection_at(timeline: Timeline, at: float = float("inf")) -> TurnDetection:
    """The turn detection in force at a moment."""
    return turn_detection(session_in_force(timeline, at))


def _milliseconds(value: object, default: int) -> int:
    found = number(value)
    return default if found is None else int(found)


FAKE_INSTRUCTIONS = "You are a helpful, friendly assistant. Answer in the caller's language."
# How instructions begin that nobody gave: the fake's, and OpenAI's own.
STOCK_INSTRUCTIONS = (FAKE_INSTRUCTIONS, "Your knowledge cutoff is")
