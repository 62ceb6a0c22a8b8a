"""From messages as they came to the events that were meant, and what was odd about the messages. No I/O.

A relay that merges, splits or re-types messages breaks every page, but what it carries can still be read: so
that the call goes on, and the report has this one finding instead of a dozen that follow from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.core.events.websocket import MessageProblem
from harness.core.strict_json import json_object

LONGEST_HELD = 24 * 1024 * 1024  # characters of an event in pieces: OpenAI's longest, in base64
MOST_HELD = 64  # pieces of one event: each is read again with the next
MOST_IN_ONE = 1000  # events in one message: a relay that does so merges, whatever else it does
LONGEST_WORD = 6  # characters that cannot be told from nonsense where they are cut: `false`, `\u00e4`


@dataclass(frozen=True)
class SocketMessage:
    """One event with its size in bytes, or the text that is none; and what was odd, if anything."""

    event: dict[str, Any] | None
    text: str
    size: int
    problem: MessageProblem | None = None


class MessageReader:
    """Reads the messages of one connection, in their order."""

    def __init__(self) -> None:
        self._held: list[str] = []  # messages that may be the beginning of an event

    def read(self, message: str | bytes) -> Iterator[SocketMessage]:
        """What a message holds: mostly one event, of a piece none until it is whole."""
        size = len(message) if isinstance(message, bytes) else len(message.encode("utf-8", "replace"))
        text = message.decode("utf-8", "replace") if isinstance(message, bytes) else message
        as_binary: MessageProblem | None = "binary" if isinstance(message, bytes) else None
        event = json_object(text)
        if event is not None:
            yield from self.end()
            yield SocketMessage(event, text, size, as_binary)
            return
        whole = "".join(self._held) + text
        found, rest = _objects(whole)
        if found:
            problem: MessageProblem = "part-of-an-event" if self._held else "several-events"
            self._held.clear()
            yield from (SocketMessage(each, "", size, problem) for each in found)
        if not rest.strip():
            return
        if _may_go_on(rest) and len(rest) <= LONGEST_HELD and len(self._held) < MOST_HELD:
            self._held = [rest] if found else [*self._held, text]
            return
        if not found:
            yield from self.end()
        yield SocketMessage(None, rest if found else text, size, as_binary)

    def end(self) -> Iterator[SocketMessage]:
        """What was held turned out to be the beginning of nothing."""
        held, self._held = self._held, []
        for text in held:
            yield SocketMessage(None, text, len(text.encode("utf-8", "replace")))


def _objects(text: str) -> tuple[list[dict[str, Any]], str]:
    """The JSON objects that stand one after the other at the beginning, and what follows them."""
    found: list[dict[str, Any]] = []
    decoder, at = json.JSONDecoder(), 0
    while len(found) < MOST_IN_ONE:
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        event = json_object(text[at:end])
        if event is None:
            break
        found.append(event)
        at = end
    return found, text[at:]


def _may_go_on(text: str) -> bool:
    """Whether it is the beginning of an object that ends in a later message."""
    stripped = text.strip()
    if not stripped.startswith("{"):
        return False
    try:
        json.loads(stripped)
    except json.JSONDecodeError as error:
        # What was cut off is wrong at its very end, inside a text that never ends, or in its last word.
        near_the_end = error.pos >= len(stripped) - LONGEST_WORD
        return near_the_end or error.msg.startswith("Unterminated string")
    except RecursionError:
        return False
    return False
