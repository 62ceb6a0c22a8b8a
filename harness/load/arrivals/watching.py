"""What is seen of a target beside its answers: requests that go nowhere, and its processes if here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import psutil

from harness.config.target import Target
from harness.core.audio import percentile
from harness.core.clock import Clock
from harness.load.arrivals.sending import Posting
from harness.load.processes import listening_at
from harness.platform.descriptors import open_descriptors

DOOR_SECONDS = 0.2
PROCESS_SECONDS = 0.5


class Watching:
    """Since `restart`. Use it in `running()`."""

    def __init__(self, target: Target, posting: Posting, clock: Clock) -> None:
        self._target = target
        self._posting = posting
        self._clock = clock
        self._asking: set[asyncio.Task[None]] = set()
        self._processes = listening_at(target.url)
        self._used: dict[int, float] = {}
        self._looked_at = clock.now()
        self._began = clock.now()
        self.restart()

    def restart(self) -> None:
        """Forget what was seen."""
        self._began = self._clock.now()
        self._door: list[float] = []
        self._busy: list[float] = []
        self.rss: list[float] = []

    @property
    def door_ms(self) -> float | None:
        """The median of a request that goes nowhere; None where none was answered."""
        return percentile(self._door, 50)

    @property
    def cpu(self) -> float | None:
        """The busiest process's part of a core, the median over time."""
        return percentile(self._busy, 50)

    @property
    def descriptors(self) -> float | None:
        """Files and sockets that all its processes have open now; None where they are not here to see."""
        found = [open_ for each in self._processes if (open_ := open_descriptors(each)) is not None]
        return sum(found) if found else None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While entered, it looks."""
        tasks = [asyncio.create_task(self._knock()), asyncio.create_task(self._look())]
        try:
            yield
        finally:
            for task in (*tasks, *self._asking):
                task.cancel()
            await asyncio.gather(*tasks, *self._asking, return_exceptions=True)

    async def _knock(self) -> None:
        """As offers are: when it is due, whatever became of the last."""
        due = self._clock.now()
        while True:
            task = asyncio.create_task(self._ask(due))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
            due += DOOR_SECONDS
            await asyncio.sleep(max(0.0, due - self._clock.now()))

    async def _ask(self, due: float) -> None:
        reply = await self._posting.ask("OPTIONS", self._target.url, b"", {})
        if not reply.failure and due >= self._began:
            self._door.append(1000 * (self._clock.now() - due))

    async def _look(self) -> None:
        while self._processes:
            self.look()
            await asyncio.sleep(PROCESS_SECONDS)

    def look(self) -> None:
        """Once, at its processes: the last of `rss` is then of this moment."""
        if not self._processes:
            return
        now, rss, busiest = self._clock.now(), 0.0, 0.0
        for process in self._processes:
            with contextlib.suppress(psutil.Error):
                used = sum(process.cpu_times()[:2])
                rss += process.memory_info().rss
                if process.pid in self._used:
                    busiest = max(
                        busiest, (used - self._used[process.pid]) / max(now - self._looked_at, 0.001)
                    )
                self._used[process.pid] = used
        if self._looked_at >= self._began:
            self._busy.append(busiest)
        self.rss.append(rss)
        self._looked_at = now
