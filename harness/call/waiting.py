"""Waiting for what a timeline will say next."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import TypeVar

from harness.core.events import Event, ServerEvent
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

        def concerns(event: Event) -> bool:
            return isinstance(event, ServerEvent) and (not types or event.type in types)

        found = await self._until(untaken, within, concerns)
        if found is not None:
            self._taken.add(id(found))  # the timeline keeps the event, so its id stays its own
        return found

    async def condition(self, holds: Callable[[], bool], within: float) -> bool:
        """Whether `holds` became true within that many seconds; asked again after each event and often."""
        return bool(await self._until(lambda: holds() or None, within, lambda _event: True, POLL_SECONDS))

    async def _until(
        self,
        look: Callable[[], T | None],
        within: float,
        concerns: Callable[[Event], bool],
        poll: float = math.inf,
    ) -> T | None:
        if (found := look()) is not None:
            return found
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        wake = asyncio.Event()

        def came(event: Event) -> None:
            if concerns(event):
                wake.set()

        unlisten = self._timeline.listen(came)
        try:
            # One timer for both ends of waiting, since a time-out a look would cost more than the look.
            while (left := deadline - loop.time()) > 0:
                timer = loop.call_later(min(left, poll), wake.set)
                try:
                    await wake.wait()
                finally:
                    timer.cancel()
                wake.clear()
                if (found := look()) is not None:
                    return found
            return None
        finally:
            unlisten()
