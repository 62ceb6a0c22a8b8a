"""Which shape an offer has: the one that is asked for, or the one whose turn it is."""

from __future__ import annotations

import random
import re

from harness.core.errors import UsageError
from harness.core.nearest import meant
from harness.core.offer_shapes import OFFER_SHAPES


def check_offer_shape(name: str) -> None:
    """Raises UsageError, with near matches, for a shape that there is not."""
    if name not in OFFER_SHAPES:
        raise UsageError(f"there is no offer {name!r}", meant(name, OFFER_SHAPES))


def shape_in_turn(seed: int, call: str) -> str:
    """The shape of a call where none is asked for: all in turn by the call's number, in the seed's order."""
    order = random.Random(seed).sample(sorted(OFFER_SHAPES), len(OFFER_SHAPES))  # noqa: S311  (replayable)
    numbers = [int(digits) for digits in re.findall(r"(?<![A-Za-z0-9_])[0-9]{1,9}(?![A-Za-z0-9_])", call)]
    return order[sum(numbers) % len(order)]
