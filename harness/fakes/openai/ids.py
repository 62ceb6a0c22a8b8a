"""Ids as the API makes them: a prefix and 21 base-62 characters."""

from __future__ import annotations

import random
import re
import string

LONGEST_PADDING = 16
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
LENGTH = 21


class Ids:
    """New ids from a seeded source, so that a run can be replayed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def new(self, prefix: str) -> str:
        """`item` → `item_C9G8zqvFhTLkT5wM3qYkz`."""
        return f"{prefix}_{''.join(self._rng.choices(ALPHABET, k=LENGTH))}"

    def padding(self) -> str:
        """Letters and figures that mean nothing, at least one."""
        return "".join(self._rng.choices(ALPHABET, k=self._rng.randint(1, LONGEST_PADDING)))


_NAME = re.compile(r"[A-Za-z0-9+/]{4,256}")  # RFC 8839, section 5.4: ice-ufrag


def call_name(text: str) -> str:
    """The name that a caller of the harness gave its call; empty for what can be none."""
    return text if _NAME.fullmatch(text) else ""
