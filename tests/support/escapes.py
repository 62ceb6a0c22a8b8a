"""Texts that would take hold of a terminal, or hide, or turn the reading round."""

from __future__ import annotations

import re

ESCAPES = (
    "\x1b[2J",  # clears the screen
    "\x1b]0;owned\x07",  # sets the window's title
    "\x1b]8;;http://evil.example\x1b\\here\x1b]8;;\x1b\\",  # a link
    "\x9b31m",  # C1: colours
    "\x85",  # C1: a new line
    "\u202eevil\u202c",  # right to left
    "\u200b",  # has no width
    "\ufeff",
    "\u2028",
    "passed\rfailed",
    "failed\b\b\b\b\b\bpassed",
)
HOSTILE = "\u202e" + "".join(ESCAPES)  # first what a test looks for, since what is quoted may be cut
RAW = re.compile(
    "[\x07\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u200b\u202c\u202e\u2028\ufeff]|\x1b(?!\\[)|\x1b\\[2J|passed\rf"
)


def raw_in(text: str) -> list[str]:
    """Each place where one of them stands as it is, with what is around it."""
    return [repr(text[max(0, m.start() - 40) : m.end() + 10]) for m in RAW.finditer(text)]
