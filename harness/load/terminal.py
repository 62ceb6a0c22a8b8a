"""Progress on standard output: lines that stay, and on a terminal one more that is written over."""

from __future__ import annotations

import sys

from harness.core.printable import printable

CLEAR_LINE = "\r\x1b[K"


class Progress:
    """What a run says while it goes on. Where nobody watches, only the lines."""

    def __init__(self) -> None:
        self._watched = sys.stdout.isatty()

    def line(self, text: str) -> None:
        """Something that came to an end."""
        self._write((CLEAR_LINE if self._watched else "") + printable(text, lines=True) + "\n")

    def status(self, text: str) -> None:
        """What goes on now."""
        if self._watched:
            self._write(CLEAR_LINE + printable(text))

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def complain(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(f"{printable(text, lines=True)}\n")
