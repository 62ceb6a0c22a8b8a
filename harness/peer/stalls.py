"""Whether this process's event loop stood still: in that time nothing was sent, read or noticed.

One timer for all calls of a loop. What a machine that is too busy makes late must not be blamed on the relay.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar
from weakref import WeakKeyDictionary

BEAT_SECONDS = 0.1
REMEMBERED = 200  # stalls
LEAST_SECONDS = 0.15  # shorter ones say nothing that the pacer's own lateness does not

OnStall = Callable[[float], None]


@dataclass(frozen=True)
class Stall:
    """The loop stood still for `seconds`, and went on `ago` seconds before it was asked."""

    ago: float
    seconds: float


class StallWatch:
    """Tells its listeners how many seconds the loop stood still, as soon as it goes on."""

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, StallWatch]] = WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._listeners: dict[int, OnStall] = {}
        self._next_id = 0
        self._handle: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._told: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)

    @classmethod
    def shared(cls) -> StallWatch:
        """The running loop's watch."""
        loop = asyncio.get_running_loop()
        return cls._of_loop.setdefault(loop, cls(loop))

    def listen(self, on_stall: OnStall) -> Callable[[], None]:
        """Tell of every stall from now on; returns the function that ends it."""
        key = self._next_id
        self._next_id += 1
        self._listeners[key] = on_stall
        if self._handle is None:
            self._beat_again()

        def unlisten() -> None:
            self._listeners.pop(key, None)
            if not self._listeners and self._handle is not None:
                self._handle.cancel()
                self._handle = None

        return unlisten

    def within(self, seconds: float) -> list[float]:
        """How long the loop stood still, each time in the last seconds; empty where nobody listened."""
        return [stall.seconds for stall in self.ended_within(seconds)]

    def ended_within(self, seconds: float) -> list[Stall]:
        """The same, oldest first, with how long ago; one that ends just now is among them."""
        now = self._loop.time()
        told = [Stall(now - ended, late) for ended, late in self._told if ended >= now - seconds]
        # What has waited for the loop is served before its timers are.
        overdue = now - self._due if self._handle is not None else 0.0
        return [*told, Stall(0.0, overdue)] if overdue >= LEAST_SECONDS else told

    def _beat_again(self) -> None:
        self._due = self._loop.time() + BEAT_SECONDS
        self._handle = self._loop.call_at(self._due, self._beat)

    def _beat(self) -> None:
        late = self._loop.time() - self._due
        self._beat_again()
        if late >= LEAST_SECONDS:
            self._told.append((self._loop.time(), late))
            for listener in list(self._listeners.values()):
                listener(late)
