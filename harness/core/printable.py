"""Text from outside, made safe to print: nothing in it moves a cursor, hides, or turns the reading round.

Whoever is called writes much of what a run shows: headers, bodies, URLs, transcripts, errors. Raw in a
terminal, an escape sequence in it could rewrite a verdict, set the window's title or plant a link (ECMA-48;
OSC 8), and a bidirectional control could reorder what is read (UAX #9).
"""

from __future__ import annotations

import logging
import re
import traceback
from typing import Any

# Unicode's categories Cc, Cf, Cs, Zl and Zp, but tab and newline, and letters that show as nothing.
_NOT_PRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    "\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
_NOT_IN_A_LINE = re.compile(r"[\t\n]")


def printable(text: str, *, lines: bool = False) -> str:
    r"""The text with each character that does not show written as JSON writes it: `\u001b`, `\u202e`.

    So a JSON document says the same before and after. `lines`: newlines and tabs stay, which are else escaped
    too: what is quoted in a line cannot begin another.
    """
    text = _NOT_PRINTABLE.sub(_escaped, text)
    return text if lines else _NOT_IN_A_LINE.sub(lambda m: "\\t" if m.group() == "\t" else "\\n", text)


def _escaped(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


class PrintableRecord(logging.LogRecord):
    """A log record whose message and traceback can be printed."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.exc_info and self.exc_info[0] is not None:
            # A formatter takes it where it is there (logging.Formatter.format).
            self.exc_text = printable(
                "".join(traceback.format_exception(*self.exc_info)).rstrip(), lines=True
            )

    def getMessage(self) -> str:  # noqa: N802  (logging's name)
        """The message as logging would have it, printable."""
        return printable(super().getMessage(), lines=True)


def make_logs_printable() -> None:
    """From now on, in this process, whoever logs and wherever it goes."""
    logging.setLogRecordFactory(PrintableRecord)
