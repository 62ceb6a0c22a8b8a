"""What we serve for a run ourselves, watched: when it ends, what its calls then see is not the target's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from harness.core.clock import Clock, MonotonicClock
from harness.core.errors import HarnessError

LOOK_SECONDS = 0.1  # between looks: so much earlier than we noticed it may have ended
DOUBT_SECONDS = 1.0  # for a server that did not answer to be seen as ended: its sockets close first

Lost = Callable[[str, float], None]  # why it ended; when it was last known to run, on our clock


class OwnServer(Protocol):
    """A process of ours. `problem`: why it no longer runs; empty while it does."""

    @property
    def problem(self) -> str: ...


class OwnServerEndedError(HarnessError):
    """What a call needs of us has ended."""


class OwnServers:
    """Those of one run; `tell` is told once, when the first has ended."""

    def __init__(self, tell: Callable[[str], None], clock: Clock | None = None) -> None:
        self.problem = ""
        self._tell = tell
        self._clock = clock or MonotonicClock()
        self._servers: list[OwnServer] = []
        self._runs_at = self._clock.now()
        self._listeners: list[Lost] = []
        self._ended = asyncio.Event()

    def add(self, server: OwnServer) -> None:
        """Watch this one too."""
        self._servers.append(server)

    def listen(self, lost: Lost) -> Callable[[], None]:
        """Call it when one ends, or now where one has; returns the function that stops it."""
        if self.problem:
            lost(self.problem, self._runs_at)
        self._listeners.append(lost)
        return lambda: self._listeners.remove(lost)

    @asynccontextmanager
    async def needed(self) -> AsyncIterator[None]:
        """Cut the block short when one ends, or has ended: raises OwnServerEndedError."""
        loop = asyncio.get_running_loop()
        cut = asyncio.timeout(None)
        try:
            async with cut:
                unlisten = self.listen(lambda _why, _at: cut.reschedule(loop.time()))
                try:
                    yield
                finally:
                    unlisten()
        except TimeoutError as error:
            if cut.expired():
                raise OwnServerEndedError(self.problem) from error
            raise

    async def ended(self) -> str:
        """Returns when one has ended, with the reason."""
        await self._ended.wait()
        return self.problem

    async def watch(self) -> None:
        """Look again and again, until one has ended."""
        while not self._look():  # noqa: ASYNC110  (a process gives no event to wait for)
            await asyncio.sleep(LOOK_SECONDS)

    async def settle(self, *, doubt: bool) -> None:
        """Look once more before a call is judged; for a while where something did not answer."""
        until = self._clock.now() + DOUBT_SECONDS * doubt * bool(self._servers)
        while not self._look() and self._clock.now() < until:  # noqa: ASYNC110  (as above)
            await asyncio.sleep(LOOK_SECONDS / 5)

    def _look(self) -> bool:
        now = self._clock.now()
        if not self.problem:
            self.problem = next((found for server in self._servers if (found := server.problem)), "")
            if self.problem:
                self._tell(self.problem)
                for lost in tuple(self._listeners):
                    lost(self.problem, self._runs_at)
                self._ended.set()
            else:
                self._runs_at = now
        return bool(self.problem)
