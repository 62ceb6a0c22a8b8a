"""One ticker for all streams of an event loop: absolute 20 ms deadlines, so that nothing drifts.

No task and no thread for a stream or a packet. Many streams are spread over the phases of a frame, so that
they neither send in one burst nor keep the loop from receiving. The pacer runs while it has streams,
and measures how late it was against its own deadlines: a late sender must not be blamed on the relay.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import ClassVar
from weakref import WeakKeyDictionary

from harness.core.audio import percentile
from harness.core.audio_format import FRAME_SECONDS
from harness.core.clock import Clock, MonotonicClock
from harness.peer.native.lane import LaneSender, MediaLane, MediaLanes

PHASES = 10  # of a frame: 2 ms each, twice what the loop's timers resolve
# Streams: a phase is filled before the next is begun, for each costs a wake-up; so many take half of one.
FULL_PHASE = 40
PHASE_SECONDS = FRAME_SECONDS / PHASES
LATENESS_KEPT = 60_000  # frames: twenty minutes

logger = logging.getLogger(__name__)

Tick = Callable[[float], None]
OnFailed = Callable[[Exception], None]


class Phase:
    """What is served at one time of each frame."""

    def __init__(self) -> None:
        # Each with the moment from which it is served, and who is told when it fails.
        self.streams: dict[int, tuple[Tick, float, OnFailed]] = {}
        self.lanes: MediaLanes | None = None

    def __len__(self) -> int:
        return len(self.streams) + (len(self.lanes) if self.lanes is not None else 0)

    def remove(self, key: int) -> None:
        """Serve a stream no more; idempotent."""
        self.streams.pop(key, None)
        if self.lanes is not None:
            self.lanes.remove(key)


class Pacer:
    """Calls each stream's `tick(deadline)` every 20 ms, with the deadline on the monotonic clock.

    A tick that comes late by more than a frame makes up for it: every deadline is served, so a stream's
    packet count always follows the clock.
    """

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer]] = WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock | None = None) -> None:
        self._loop = loop
        self._clock = clock or MonotonicClock()
        self._phases: tuple[Phase, ...] = tuple(Phase() for _ in range(PHASES))
        self._next_id = 0
        self._handle: asyncio.TimerHandle | None = None
        self._origin = 0.0
        self._slot = 0  # phases since the origin
        self._frame_lateness = 0.0
        # One entry for each frame: that of its latest phase, when the last packet had gone out.
        self._lateness: deque[float] = deque(maxlen=LATENESS_KEPT)

    @classmethod
    def shared(cls) -> Pacer:
        """The running loop's pacer."""
        loop = asyncio.get_running_loop()
        return cls._of_loop.setdefault(loop, cls(loop))

    def add(self, tick: Tick, on_failed: OnFailed | None = None) -> Callable[[], None]:
        """Start a stream; returns the function that ends it.

        A stream that raises is taken out, for it must not stop the others' clocks; `on_failed` is told.
        """
        key, phase, now = self._place()
        phase.streams[key] = (tick, now, on_failed or _log)
        self._begin(now)
        return lambda: self._remove(phase, key)

    def add_lane(
        self, lane: MediaLane, sender: LaneSender, on_failed: OnFailed | None = None
    ) -> Callable[[], None]:
        """As `add`, of a stream that is sent in C: `sender` is asked for what that cannot do."""
        key, phase, now = self._place()
        lane.state.since = now
        if phase.lanes is None:
            phase.lanes = lane.beside()
        phase.lanes.add(key, lane, sender, on_failed or _log)
        self._begin(now)
        return lambda: self._remove(phase, key)

    def _place(self) -> tuple[int, Phase, float]:
        """A key, a phase, and the moment from which a new stream is served: being late, we owe it nothing."""
        self._next_id += 1
        begun = [phase for phase in self._phases if 0 < len(phase) < FULL_PHASE]
        phase = max(begun, key=len) if begun else min(self._phases, key=len)
        return self._next_id, phase, self._clock.now()

    def _begin(self, now: float) -> None:
        if self._handle is None:
            self._origin, self._slot, self._frame_lateness = now, PHASES, 0.0
            self._schedule()

    def lateness_ms(self, q: float, last: int = LATENESS_KEPT) -> float:
        """The q-th percentile of the lateness of the last frames; 0 before the first."""
        recent = list(islice(reversed(self._lateness), last))
        return 1000 * (percentile(recent, q) or 0.0)

    def _remove(self, phase: Phase, key: int) -> None:
        phase.remove(key)
        if not any(self._phases) and self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _schedule(self) -> None:
        wait = self._deadline() - self._clock.now()
        self._handle = self._loop.call_later(max(0.0, wait), self._run)

    def _deadline(self) -> float:
        return self._origin + self._slot * PHASE_SECONDS

    def _run(self) -> None:
        """Serve what is due; after a frame's worth the loop may receive, however late we are."""
        for _ in range(PHASES):
            self._serve(self._phases[self._slot % PHASES], self._deadline())
            if not any(self._phases):
                self._handle = None
                return
            self._go_on()
            if self._deadline() > self._clock.now():
                break
        self._schedule()

    def _serve(self, phase: Phase, deadline: float) -> None:
        if phase.lanes is not None:
            phase.lanes.serve(deadline)
        for key, (tick, since, on_failed) in list(phase.streams.items()):
            if deadline > since:
                try:
                    tick(deadline)
                except Exception as error:  # one call must not stop the others
                    phase.remove(key)
                    on_failed(error)
        self._frame_lateness = max(self._frame_lateness, self._clock.now() - deadline)

    def _go_on(self) -> None:
        """To the next phase that has streams."""
        frame = self._slot // PHASES
        self._slot += 1
        while not self._phases[self._slot % PHASES]:
            self._slot += 1
        if self._slot // PHASES != frame:
            self._lateness.append(self._frame_lateness)
            self._frame_lateness = 0.0


def _log(error: Exception) -> None:
    logger.error("a stream failed in the pacer and was taken out", exc_info=error)
