"""Tokens as they are billed: one for 100 ms of the caller, 50 ms of the assistant, about four letters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

CALLER_MS_PER_TOKEN = 100
ASSISTANT_MS_PER_TOKEN = 50
LETTERS_PER_TOKEN = 4  # a rule of thumb; the real tokenizer is not needed to check sums
CACHE_BLOCK = 64  # inferred: cached counts in published captures are multiples of 64


@dataclass(frozen=True)
class Tokens:
    """Text and audio tokens."""

    text: int = 0
    audio: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.text + other.text, self.audio + other.audio)

    @property
    def total(self) -> int:
        return self.text + self.audio

    def cached(self) -> Tokens:
        """What a cache of whole blocks holds of them."""
        return Tokens(self.text // CACHE_BLOCK * CACHE_BLOCK, self.audio // CACHE_BLOCK * CACHE_BLOCK)


def text_tokens(text: str) -> int:
    """About as many as a tokenizer makes of the text."""
    return math.ceil(len(text) / LETTERS_PER_TOKEN)


def caller_audio_tokens(duration_ms: int) -> int:
    """For what the caller said."""
    return math.ceil(duration_ms / CALLER_MS_PER_TOKEN)


def assistant_audio_tokens(duration_ms: int) -> int:
    """For what the assistant said."""
    return math.ceil(duration_ms / ASSISTANT_MS_PER_TOKEN)


def usage(context: Tokens, cached: Tokens, output: Tokens, reasoning: int | None) -> dict[str, Any]:
    """The `usage` of a response: cached tokens are part of the input, those of reasoning part of the text."""
    details = {"text_tokens": output.text, "audio_tokens": output.audio}
    if reasoning is not None:
        details["reasoning_tokens"] = reasoning
    return {
        "total_tokens": context.total + output.total,
        "input_tokens": context.total,
        "output_tokens": output.total,
        "input_token_details": {
            "text_tokens": context.text,
            "audio_tokens": context.audio,
            "image_tokens": 0,
            "cached_tokens": cached.total,
            "cached_tokens_details": {
                "text_tokens": cached.text,
                "audio_tokens": cached.audio,
                "image_tokens": 0,
            },
        },
        "output_token_details": details,
    }
