"""Letters drawn by chance, for names and passwords."""

from __future__ import annotations

import secrets
import string

ALPHANUMERIC = string.ascii_letters + string.digits


def letters(length: int, alphabet: str = ALPHANUMERIC) -> str:
    """Drawn as one number: the system is asked for chance once, not for each letter."""
    base = len(alphabet)
    number, drawn = secrets.randbelow(base**length), ""
    for _ in range(length):
        number, digit = divmod(number, base)
        drawn += alphabet[digit]
    return drawn
