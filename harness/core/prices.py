"""What Realtime models cost: the dated table, one's own prices beside it, and the cost of a usage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from harness.core.price_table import FIGURES


class Price(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """USD per million tokens of each kind; `per_hour` is USD per hour of the session.

    A kind of cached token that has no price of its own costs what the uncached one does.
    """

    text_in: float = 0.0
    text_cached: float | None = None
    text_out: float = 0.0
    audio_in: float = 0.0
    audio_cached: float | None = None
    audio_out: float = 0.0
    image_in: float = 0.0
    image_cached: float | None = None
    per_hour: float = 0.0


PRICES: Mapping[str, Price] = {model: Price(**figures) for model, figures in FIGURES.items()}
# For a model that nobody knows the price of: what it most likely does not exceed.
DEAREST = "gpt-realtime-2.1"


def price_of(model: str, own: Mapping[str, Price] | None = None) -> Price | None:
    """The price of a model or of its dated snapshot, one's `own` first; None where neither has it."""
    for table in (own or {}, PRICES):
        if model in table:
            return table[model]
        for name, price in table.items():
            if model.startswith(f"{name}-20"):
                return price
    return None


def cost_usd(usage: Mapping[str, Any], price: Price) -> float:
    """The cost of one response by the `usage` of its response.done, without what is billed by the hour.

    Cached tokens are part of the input tokens (API reference, response.done); where the details do not say
    of which kind they are, text counts first.
    """
    inputs, outputs = _part(usage, "input_token_details"), _part(usage, "output_token_details")
    left = _count(inputs, "cached_tokens")
    cached = _part(inputs, "cached_tokens_details")
    millionths = 0.0
    for kind in ("text", "audio", "image"):
        whole = _count(inputs, f"{kind}_tokens")
        again = _count(cached, f"{kind}_tokens") if cached else min(whole, left)
        left -= again
        full: float = getattr(price, f"{kind}_in")
        reduced: float | None = getattr(price, f"{kind}_cached")
        millionths += (whole - again) * full + again * (full if reduced is None else reduced)
    millionths += _count(outputs, "text_tokens") * price.text_out
    millionths += _count(outputs, "audio_tokens") * price.audio_out
    return millionths / 1_000_000


def _part(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _count(data: Mapping[str, Any], key: str) -> int:
    value = data.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
