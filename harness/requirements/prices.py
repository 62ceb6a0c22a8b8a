"""What a response costs, by its usage and a price table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Price:
    """USD per million tokens."""

    audio_in: float
    audio_cached: float
    audio_out: float
    text_in: float
    text_cached: float
    text_out: float


# platform.openai.com/docs/pricing, Realtime and audio models; a dated snapshot costs what its model costs.
PRICES = {
    "gpt-realtime-2.1-mini": Price(10, 0.30, 20, 0.60, 0.06, 2.40),
    "gpt-realtime-2.1": Price(32, 0.40, 64, 4, 0.40, 24),
    "gpt-realtime-2": Price(32, 0.40, 64, 4, 0.40, 24),
}


def price_of(model: str) -> Price | None:
    """The price of a model or of its dated snapshot; None where it is not in the table."""
    for name, price in PRICES.items():
        if model == name or model.startswith(f"{name}-20"):
            return price
    return None


def cost_usd(usage: Mapping[str, Any], price: Price) -> float:
    """The cost of one response by the `usage` of its response.done.

    Cached tokens are part of the input tokens (API reference, response.done); where the details do not say
    of which kind they are, text counts first, which is the dearer reading.
    """
    inputs, outputs = _object(usage, "input_token_details"), _object(usage, "output_token_details")
    text_in, audio_in = _count(inputs, "text_tokens"), _count(inputs, "audio_tokens")
    cached = _object(inputs, "cached_tokens_details")
    if cached:
        text_cached, audio_cached = _count(cached, "text_tokens"), _count(cached, "audio_tokens")
    else:
        text_cached = min(text_in, _count(inputs, "cached_tokens"))
        audio_cached = min(audio_in, _count(inputs, "cached_tokens") - text_cached)
    millionths = (
        (text_in - text_cached) * price.text_in
        + text_cached * price.text_cached
        + (audio_in - audio_cached) * price.audio_in
        + audio_cached * price.audio_cached
        + _count(outputs, "text_tokens") * price.text_out
        + _count(outputs, "audio_tokens") * price.audio_out
    )
    return millionths / 1_000_000


def _object(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _count(data: Mapping[str, Any], key: str) -> int:
    value = data.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
