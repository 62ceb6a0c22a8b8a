"""UDP sockets that are read together (`reading.py`), and sent from at once."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import Any

from harness.peer.native.lane import MediaLane
from harness.peer.reading import Datagrams, Reader
from harness.platform.stamps import ask_for_stamps

RECEIVE_BUFFER = 262_144  # bytes, as aioice gives its sockets


class DatagramSocket(asyncio.DatagramTransport):
    """One bound UDP socket, read together with the loop's others."""

    def __init__(self, bound: socket.socket, receiver: Datagrams) -> None:
        super().__init__({"socket": bound, "sockname": bound.getsockname()})
        self._socket = bound
        self.send_at_once = bound.sendto  # raises OSError, and keeps nothing for later
        self._receiver: Datagrams | None = receiver
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[bytes, tuple[Any, ...]]] = deque()
        self._closed = False
        self._reader = Reader.shared()
        self._number = self._reader.add(bound, receiver)
        self._sending: MediaLane | None = None

    def give_media(self, lane: MediaLane | None) -> None:
        """Let what comes of media go straight to its call's lane; None: to the receiver."""
        if not self._closed:
            self._reader.give(self._number, lane)

    def send_from(self, lane: MediaLane, address: tuple[str, int]) -> None:
        """Let a lane send from here, as long as this is open."""
        if not self._closed:
            self._sending = lane
            lane.plug(self._socket, address)

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Send now, or as soon as the kernel has room; an error goes to the receiver."""
        if self._closed:
            return
        if self._waiting:
            self._waiting.append((data, addr))
            return
        try:
            self.send_at_once(data, addr)
        except BlockingIOError:
            self._waiting.append((data, addr))
            self._loop.add_writer(self._socket, self._flush)
        except OSError as error:
            self._failed(error)

    def _flush(self) -> None:
        while self._waiting:
            try:
                self.send_at_once(*self._waiting[0])
            except BlockingIOError:
                return
            except OSError as error:
                self._failed(error)
                if self._closed:
                    return
            self._waiting.popleft()
        self._loop.remove_writer(self._socket)

    def _failed(self, error: OSError) -> None:
        if self._receiver is not None:
            self._receiver.error_received(error)

    def is_closing(self) -> bool:
        return self._closed

    def abandon(self) -> None:
        """Close, and tell the receiver nothing of it: another socket has taken over."""
        self._receiver = None
        self.close()

    def close(self) -> None:
        """Close at once; the receiver's `connection_lost` follows."""
        if self._closed:
            return
        self._closed = True
        if self._sending is not None:
            self._sending.unplug(self._socket)
        self._reader.remove(self._socket, self._number)
        if self._waiting:
            self._loop.remove_writer(self._socket)
            self._waiting.clear()
        self._socket.close()
        if self._receiver is not None:
            self._loop.call_soon(self._receiver.connection_lost, None)

    abort = close


def open_datagrams(address: str, receiver: Datagrams) -> DatagramSocket:
    """A socket on a free port of a local IP address; raises OSError where there is no such address."""
    family, kind, protocol, _, sockaddr = socket.getaddrinfo(
        address, 0, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        ask_for_stamps(bound)
        bound.bind(sockaddr)
        return DatagramSocket(bound, receiver)
    except BaseException:
        bound.close()
        raise


def reading_lateness() -> list[float]:
    """Seconds from a packet's arrival to its reading, one for each look of this loop since last asked.

    Empty where the system does not say when a packet arrived.
    """
    reader = Reader.of_this_loop()
    if reader is None:
        return []
    late = list(reader.late)
    reader.late.clear()
    return late
