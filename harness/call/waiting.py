"""Waiting for what a timeline will say next."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

from harness.core.events import ServerEvent
from harness.core.timeline import Timeline

T = TypeVar("T")

POLL_SECONDS = 0.1  # for what changes without an event: the passing of time


class Waiter:
    """Each server event satisfies one wait for its type: waits are answered in order, none twice."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._taken: set[int] = set()

    async def server_event(
        self, *types: str, within: float, where: Callable[[ServerEvent], bool] | None = None
    ) -> ServerEvent | None:
        """The next event of one of the types that no earlier wait took; None after `within` seconds."""

        def untaken() -> ServerEvent | None:
            for event in self._timeline.server_events(*types):
                if id(event) not in self._taken and (where is None or where(event)):
                    return event
            return None

        found = await self._until(untaken, within)
        if found is not None:
            self._taken.add(id(found))  # the timeline keeps the event, so its id stays its own
        return found

    async def condition(self, holds: Callable[[], bool], within: float) -> bool:
        """Whether `holds` became true within that many seconds; asked again after each event and often."""
        return bool(await self._until(lambda: holds() or None, within, POLL_SECONDS))

    async def _until(
        self, look: Callable[[], T | None], within: float, poll: float | None = None
    ) -> T | None:
        if (found := look()) is not None:
            return found
        came = asyncio.Event()
        unlisten = self._timeline.listen(lambda _event: came.set())
        try:
            async with asyncio.timeout(within):
                while found is None:
                    # Not wait_for, which in Python 3.11 loses a cancellation that comes with the event.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(poll):
                            await came.wait()
                    came.clear()
                    found = look()
        except TimeoutError:
            return None
        finally:
            unlisten()
        return found
