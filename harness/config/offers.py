"""Which shape of offer a run asks for."""

from __future__ import annotations

import difflib

from harness.core.errors import UsageError
from harness.core.offer_shapes import OFFER_SHAPES

OFFER_HELP = f"how the offer is written: {', '.join(OFFER_SHAPES)}"


def check_offer_shape(name: str) -> None:
    """Raises UsageError, with near matches, for a shape that there is not."""
    if name not in OFFER_SHAPES:
        near = difflib.get_close_matches(name, OFFER_SHAPES, n=2) or list(OFFER_SHAPES)
        raise UsageError(f"there is no offer {name!r}", f"choose {' or '.join(near)}")
