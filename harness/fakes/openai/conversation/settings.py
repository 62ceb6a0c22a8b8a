"""How a conversation is held where the API leaves it open or a test wants to choose."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from harness.core.errors import UsageError
from harness.core.session import FAKE_INSTRUCTIONS
from harness.fakes.openai.switches import switch

# Invented: the real API asks a model whether the caller has finished. Its documented longest waits are below.
SEMANTIC_SILENCE_MS = {"low": 1500, "medium": 800, "auto": 800, "high": 400}
SEMANTIC_LONGEST_MS = {"low": 8000, "medium": 4000, "auto": 4000, "high": 2000}


@dataclass(frozen=True)
class ConversationSettings:
    """Durations in ms unless they say otherwise.

    `voice`, `silence_duration_ms`: None for the model's own. `generation_speed`: seconds of audio made per
    second. `transcript`: what the caller said, where nobody told. `tool_arguments`: JSON by function name, in
    place of arguments made from the schema. What is a switch says itself what it is.
    """

    model: str = "gpt-realtime-2.1"
    instructions: str = FAKE_INSTRUCTIONS
    voice: str | None = None
    silence_duration_ms: int | None = None
    prefix_padding_ms: int = 300
    threshold: float = 0.5
    reply_delay_ms: int = switch(300, "from the end of a turn to its response")
    generation_speed: float = 4.0
    transcription_delay_ms: int = 250
    transcript: str = "(speech)"
    text_reply: str = "Certainly. Is there anything else I can do for you?"
    call_tools: bool = switch(
        False,
        "with tools and tool_choice auto, answer the caller with a call of the first one",
    )
    tool_arguments: Mapping[str, str] = field(default_factory=dict)
    session_seconds: float = switch(3600.0, "until a session expires")
    longest_event: int = 15 * 1024 * 1024
    tokens_per_minute: int = 400_000
    always_clears: bool = switch(
        False,
        "over WebRTC, cut off what is heard when the caller speaks even with interrupt_response false",
    )
    vary: bool = switch(True, "use the freedoms that the API leaves, from the seed")

    def __post_init__(self) -> None:
        for name in ("reply_delay_ms", "transcription_delay_ms", "prefix_padding_ms", "silence_duration_ms"):
            if (getattr(self, name) or 0) < 0:
                raise UsageError(f"{name} cannot be {getattr(self, name)}", "give 0 ms or more")
        for name in ("generation_speed", "session_seconds", "longest_event", "tokens_per_minute"):
            if getattr(self, name) <= 0:
                raise UsageError(f"{name} cannot be {getattr(self, name)}", "give more than 0")

    def changed(self, changes: Mapping[str, Any]) -> ConversationSettings:
        """With some settings replaced, as asked for by name in JSON values. Raises UsageError."""
        known = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for name in changes:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                raise UsageError(
                    f"a conversation has no setting {name!r}",
                    f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}",
                )
        try:
            return msgspec.convert({**known, **changes}, ConversationSettings)
        except msgspec.ValidationError as error:
            raise UsageError(
                f"a setting of the conversation cannot be used: {error}", "see its default"
            ) from error
