from __future__ import annotations

import pytest

from harness.core.price_table import FIGURES
from harness.core.prices import PRICES, Price, cost_usd, price_of
from tools.prices import figures

MILLION = 1_000_000


@pytest.mark.parametrize(
    ("model", "audio_in", "text_out"),
    [
        ("gpt-realtime", 32, 16),
        ("gpt-realtime-2025-08-28", 32, 16),
        ("gpt-realtime-1.5", 32, 16),
        ("gpt-realtime-mini", 10, 2.40),
        ("gpt-realtime-2.1", 32, 24),
        ("gpt-realtime-2.1-mini", 10, 2.40),
        ("gpt-realtime-2-2026-03-01", 32, 24),
    ],
)
def test_a_model_and_its_snapshots_have_a_price(model: str, audio_in: float, text_out: float) -> None:
    price = price_of(model)
    assert price is not None
    assert (price.audio_in, price.text_out) == (audio_in, text_out)


def test_the_table_is_that_of_its_source() -> None:
    assert figures() == FIGURES, "python -m tools.prices writes it anew"


def test_a_model_that_is_not_in_the_table_has_none() -> None:
    assert price_of("gpt-5-voice") is None
    assert price_of("") is None


def test_ones_own_price_comes_first() -> None:
    own = {"gpt-realtime": Price(audio_in=1), "my-deployment": Price(audio_in=2)}
    assert price_of("gpt-realtime", own) == Price(audio_in=1)
    assert price_of("my-deployment-2026-01-01", own) == Price(audio_in=2)
    assert price_of("gpt-realtime-mini", own) == PRICES["gpt-realtime-mini"]


def test_what_is_cached_costs_as_much_as_what_is_not_unless_it_has_a_price() -> None:
    details = {"image_tokens": MILLION, "cached_tokens_details": {"image_tokens": MILLION}}
    assert cost_usd({"input_token_details": details}, Price(image_in=5)) == pytest.approx(5)
    assert cost_usd({"input_token_details": details}, Price(image_in=5, image_cached=0)) == 0


def test_each_kind_of_token_has_its_price() -> None:
    usage = {
        "input_token_details": {
            "text_tokens": 2 * MILLION,
            "audio_tokens": 3 * MILLION,
            "cached_tokens": 2 * MILLION,
            "cached_tokens_details": {"text_tokens": MILLION, "audio_tokens": MILLION},
        },
        "output_token_details": {"text_tokens": MILLION, "audio_tokens": MILLION},
    }
    by_hand = 1 * 4 + 1 * 0.40 + 2 * 32 + 1 * 0.40 + 24 + 64
    assert cost_usd(usage, PRICES["gpt-realtime-2.1"]) == pytest.approx(by_hand)


def test_cached_tokens_of_no_kind_count_as_text_first() -> None:
    usage = {
        "input_token_details": {"text_tokens": MILLION, "audio_tokens": MILLION, "cached_tokens": 1_500_000}
    }
    by_hand = 0.40 + 0.5 * 32 + 0.5 * 0.40
    assert cost_usd(usage, PRICES["gpt-realtime-2.1"]) == pytest.approx(by_hand)


def test_a_usage_that_says_nothing_costs_nothing() -> None:
    assert cost_usd({}, PRICES["gpt-realtime-2.1"]) == 0.0
    assert (
        cost_usd({"input_token_details": None, "output_token_details": 3}, PRICES["gpt-realtime-2.1"]) == 0.0
    )
