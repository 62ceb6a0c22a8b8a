"""What a page plays of a reply that comes as events: in real time, until the caller speaks. No I/O.

Audio comes faster than it is heard. What has come waits here, and one frame leaves every 20 ms; where nothing
has come in time, nothing leaves, and that is a gap that the caller hears.
"""

from __future__ import annotations

import base64
import binascii
from collections import deque
from dataclasses import dataclass

import numpy as np

from harness.core.audio import Samples

RATE = 24_000  # of OpenAI's audio/pcm
FRAME = RATE // 50  # samples of 20 ms
LONGEST_WAITING = RATE * 600  # samples of a reply that wait: ten minutes, beyond any reply


@dataclass
class _Item:
    """An item's audio on its way: pieces that wait, how much was played, and whether all has come."""

    response_id: str
    item_id: str
    content_index: int
    waiting: deque[Samples]
    samples: int = 0
    played: int = 0
    is_whole: bool = False


@dataclass(frozen=True)
class CutOff:
    """What was playing when the player was cleared, and how much of it was heard."""

    response_id: str
    item_id: str
    content_index: int
    played_ms: int


class Player:
    """One call's loudspeaker."""

    def __init__(self) -> None:
        self._items: deque[_Item] = deque()
        self._cut: set[str] = set()
        self._odd = b""
        self.unreadable = 0

    @property
    def is_playing(self) -> bool:
        """Whether a reply has begun and is not over."""
        return bool(self._items) and self._items[0].played > 0

    def take(self, response_id: str, item_id: str, content_index: int, delta: str) -> None:
        """A piece of audio: base64 of 16 bit little-endian PCM at 24 kHz."""
        if item_id in self._cut:
            return
        try:
            data = self._odd + base64.b64decode(delta, validate=True)
        except (binascii.Error, ValueError):
            self.unreadable += 1
            return
        even = len(data) & ~1
        self._odd = data[even:]
        samples = np.frombuffer(data[:even], "<i2").astype(np.int16)
        item = self._item(response_id, item_id, content_index)
        if item.samples + len(samples) <= LONGEST_WAITING:
            item.waiting.append(samples)
            item.samples += len(samples)

    def is_whole(self, item_id: str) -> None:
        """No more audio of this item comes."""
        self._odd = b""
        for item in self._items:
            if item.item_id == item_id:
                item.is_whole = True

    def are_whole(self, response_id: str) -> None:
        """No more audio of this response comes."""
        for item in self._items:
            if item.response_id == response_id:
                item.is_whole = True

    def next_frame(self) -> Samples | None:
        """The next 20 ms; None where nothing is to be heard. Silence once, where an item ends."""
        while self._items:
            item = self._items[0]
            if item.samples >= FRAME or (item.is_whole and item.samples):
                return _taken(item)
            if not item.is_whole:
                return None
            self._items.popleft()
            if item.played:
                return np.zeros(FRAME, np.int16)
        return None

    def clear(self) -> list[CutOff]:
        """The caller speaks: what plays is cut; what waits, and what is still to come of it, is dropped."""
        cut = [
            CutOff(i.response_id, i.item_id, i.content_index, i.played * 1000 // RATE) for i in self._items
        ]
        self._cut |= {item.item_id for item in self._items}
        self._items.clear()
        self._odd = b""
        return cut

    def _item(self, response_id: str, item_id: str, content_index: int) -> _Item:
        for item in self._items:
            if item.item_id == item_id:
                return item
        item = _Item(response_id, item_id, content_index, deque())
        self._items.append(item)
        return item


def _taken(item: _Item) -> Samples:
    """A frame off the front, filled up with silence at the end."""
    frame = np.zeros(FRAME, np.int16)
    filled = 0
    while filled < FRAME and item.waiting:
        piece = item.waiting.popleft()
        part = piece[: FRAME - filled]
        frame[filled : filled + len(part)] = part
        filled += len(part)
        if len(part) < len(piece):
            item.waiting.appendleft(piece[len(part) :])
    item.samples -= filled
    item.played += filled
    return frame
