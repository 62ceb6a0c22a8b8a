"""What a microphone gives: the packets of clips, one after the other, and silence between them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle

ENDLESS = 1 << 30  # packets that are foreseen where nothing is said


@dataclass(eq=False)
class SpokenUtterance:
    """Packets on their way out. `done` resolves to whether all of them were sent."""

    packets: Sequence[bytes]
    on_started: Callable[[], None] = lambda: None
    on_ended: Callable[[bool], None] = lambda _cut: None
    sent: int = 0
    done: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Microphone:
    """A PacketSource that never stops by itself: silence flows when nothing is said, and while muted.

    `silence` is the loop of packets for silence: true silence, or comfort noise. While muted, an utterance
    runs on and its packets are replaced, as a muted track's are.
    """

    def __init__(self, silence: Sequence[bytes]) -> None:
        self._silence = cycle(silence)
        self._queue: deque[SpokenUtterance] = deque()
        self.muted = False
        self.stopped = False  # asked to send nothing at all, not even silence

    def say(self, utterance: SpokenUtterance) -> None:
        """Queue an utterance behind those being said."""
        if not utterance.packets:
            raise ValueError("an utterance needs at least one packet")
        self._queue.append(utterance)

    def fall_silent(self) -> None:
        """Break off what is being said and drop what is queued."""
        while self._queue:
            self._end(self._queue.popleft(), cut=True)

    def next_packet(self) -> bytes | None:
        """The packet of this 20 ms; None only when stopped."""
        packet = self._spoken() if self._queue else None
        if self.stopped:
            return None
        return next(self._silence) if packet is None or self.muted else packet

    def foreseen(self) -> int:
        """Packets until an utterance ends, without its last; of silence as many as one likes."""
        if not self._queue:
            return ENDLESS
        return max(1, len(self._queue[0].packets) - 1 - self._queue[0].sent)

    def _spoken(self) -> bytes:
        utterance = self._queue[0]
        if utterance.sent == 0:
            utterance.on_started()
        packet = utterance.packets[utterance.sent]
        utterance.sent += 1
        if utterance.sent == len(utterance.packets):
            self._queue.popleft()
            self._end(utterance, cut=False)
        return packet

    def _end(self, utterance: SpokenUtterance, *, cut: bool) -> None:
        if utterance.sent:
            utterance.on_ended(cut)
        if not utterance.done.done():
            utterance.done.set_result(not cut)
