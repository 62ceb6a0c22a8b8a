"""Handing an accepted connection to another process (SCM_RIGHTS, unix(7)), with what was read of it.

From then on the worker alone holds it: what the client sends arrives byte for byte, and what the worker does
to the connection, such as cutting it or keeping silent, is what the client sees.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable

from harness.platform.plain import is_plain

# Of a connection's first bytes, which go along in one datagram: macOS allows 2 KiB.
MOST_HEAD = 2000


def can_hand_over() -> bool:
    """Whether this system passes descriptors between processes, as Unix does; all else here needs it."""
    return sys.platform != "win32" and not is_plain()


def hand_over_pair() -> tuple[socket.socket, socket.socket]:
    """The giver's end and the taker's."""
    giver, taker = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    giver.setblocking(False)
    return giver, taker


class Giver:
    """The front's end."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._one_at_a_time = asyncio.Lock()

    async def give(self, connection: socket.socket, head: bytes) -> None:
        """Send it; the caller closes its own copy. Raises OSError where the taker is gone."""
        async with self._one_at_a_time:
            while True:
                try:
                    socket.send_fds(self._end, [head], [connection.fileno()])
                except BlockingIOError:  # the taker has a burst to work off
                    await self._writable()
                else:
                    return

    def close(self) -> None:
        """No more will be given."""
        self._end.close()

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        writable = asyncio.Event()
        loop.add_writer(self._end, writable.set)
        try:
            await writable.wait()
        finally:
            loop.remove_writer(self._end)


class Taker:
    """The worker's end: `take` is called with each connection and its head."""

    def __init__(self, end: socket.socket, take: Callable[[socket.socket, bytes], None]) -> None:
        self._end = end
        self._take = take
        end.setblocking(False)
        asyncio.get_running_loop().add_reader(end, self._read)

    def close(self) -> None:
        """Take no more."""
        asyncio.get_running_loop().remove_reader(self._end)
        self._end.close()

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                head, descriptors, _, _ = socket.recv_fds(self._end, MOST_HEAD, 1)
                if not descriptors:
                    return
                self._take(socket.socket(fileno=descriptors[0]), head)
