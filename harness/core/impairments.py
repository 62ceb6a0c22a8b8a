"""The names of the bad networks that calls can be given; `harness.network.presets` says what each does."""

from __future__ import annotations

from typing import Final

IMPAIRMENTS: Final = ("clear", "wifi-good", "4g", "3g", "train", "hotel")
