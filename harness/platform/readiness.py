"""Which of many sockets have something to read, asked at once for all of them."""

from __future__ import annotations

import asyncio
import selectors
import socket
import sys
from collections.abc import Callable
from typing import Any

from harness.platform.plain import is_plain


class Epoll:
    """Calls `ready` when a socket can be read; they are put into its `descriptor` by other means."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ready: Callable[[], None]) -> None:
        assert sys.platform == "linux"  # noqa: S101  (asked for nowhere else)
        self._loop = loop
        self._ready = ready
        self._selector = selectors.EpollSelector()
        self.descriptor = self._selector.fileno()

    def arm(self) -> None:
        self._loop.add_reader(self.descriptor, self._ready)

    def disarm(self) -> None:
        self._loop.remove_reader(self.descriptor)

    def close(self) -> None:
        """Disarmed before."""
        self._selector.close()


class Readiness:
    """Sockets and what belongs to each. While it is armed, the loop calls `ready` when one can be read.

    Linux watches all by one descriptor (epoll, nested in the loop's own). Elsewhere the loop watches each.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, ready: Callable[[], None]) -> None:
        self._loop = loop
        self._ready = ready
        self._descriptor: int | None = None
        self._selector: selectors.BaseSelector
        if sys.platform == "linux" and not is_plain():
            self._selector = selectors.EpollSelector()
            self._descriptor = self._selector.fileno()
        else:
            self._selector = selectors.SelectSelector()
        self._armed = False

    def add(self, bound: socket.socket, belonging: object) -> None:
        self._selector.register(bound, selectors.EVENT_READ, belonging)
        if self._armed and self._descriptor is None:
            self._loop.add_reader(bound, self._ready)

    def remove(self, bound: socket.socket) -> None:
        """It is still open."""
        self._selector.unregister(bound)
        if self._armed and self._descriptor is None:
            self._loop.remove_reader(bound)

    def now(self) -> list[Any]:
        """What belongs to those that can be read."""
        return [key.data for key, _ in self._selector.select(0)]

    def arm(self) -> None:
        self._armed = True
        for each in self._watched():
            self._loop.add_reader(each, self._ready)

    def disarm(self) -> None:
        self._armed = False
        for each in self._watched():
            self._loop.remove_reader(each)

    def close(self) -> None:
        """Watch nothing any more; disarmed before."""
        self._selector.close()

    def _watched(self) -> list[Any]:
        if self._descriptor is not None:
            return [self._descriptor]
        return [key.fileobj for key in self._selector.get_map().values()]
