"""One ticker for all streams of an event loop: absolute 20 ms deadlines, so that nothing drifts.

No task and no thread for a stream or a packet. The pacer runs while it has streams, and measures how late
it was against its own deadlines: a late sender must not be blamed on the relay.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import ClassVar
from weakref import WeakKeyDictionary

from harness.core.audio import percentile
from harness.core.clock import Clock, MonotonicClock

FRAME_SECONDS = 0.02
LATENESS_KEPT = 60_000  # ticks: twenty minutes

logger = logging.getLogger(__name__)

Tick = Callable[[float], None]


class Pacer:
    """Calls each stream's `tick(deadline)` every 20 ms, with the deadline on the monotonic clock.

    A tick that comes late by more than a frame makes up for it: every deadline is served, so a stream's
    packet count always follows the clock.
    """

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer]] = WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock | None = None) -> None:
        self._loop = loop
        self._clock = clock or MonotonicClock()
        self._ticks: dict[int, Tick] = {}
        self._next_id = 0
        self._handle: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self.lateness: deque[float] = deque(maxlen=LATENESS_KEPT)

    @classmethod
    def shared(cls) -> Pacer:
        """The running loop's pacer."""
        loop = asyncio.get_running_loop()
        return cls._of_loop.setdefault(loop, cls(loop))

    def add(self, tick: Tick) -> Callable[[], None]:
        """Start a stream; returns the function that ends it."""
        key = self._next_id
        self._next_id += 1
        self._ticks[key] = tick
        if self._handle is None:
            self._deadline = self._clock.now()
            self._schedule()
        return lambda: self._remove(key)

    def lateness_ms(self, q: float, last: int = LATENESS_KEPT) -> float:
        """The q-th percentile of the lateness of the last ticks; 0 before the first."""
        recent = list(self.lateness)[-last:]
        return 1000 * (percentile(recent, q) or 0.0)

    def _remove(self, key: int) -> None:
        self._ticks.pop(key, None)
        if not self._ticks and self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _schedule(self) -> None:
        self._deadline += FRAME_SECONDS
        self._handle = self._loop.call_later(max(0.0, self._deadline - self._clock.now()), self._run)

    def _run(self) -> None:
        deadline = self._deadline
        self.lateness.append(max(0.0, self._clock.now() - deadline))
        for key, tick in list(self._ticks.items()):
            try:
                tick(deadline)
            except Exception:
                # One stream must not stop the others' clocks.
                logger.exception("a stream failed in the pacer and was taken out")
                self._ticks.pop(key, None)
        if self._ticks:
            self._schedule()
        else:
            self._handle = None
