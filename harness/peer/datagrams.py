"""UDP sockets whose packets are read for all calls at once, each with the kernel's time of its arrival.

An event loop's own datagram endpoint wakes the process for each packet and asks each socket twice. Here one
look serves every socket that has something. As in a network card's driver, a packet that comes to few sockets
is read at once; with many, the next look comes `HOLD_SECONDS` later, and finds many packets.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import Any, ClassVar, NamedTuple, Protocol
from weakref import WeakKeyDictionary

from harness.core.clock import MonotonicClock, monotonic_of_wall
from harness.platform.readiness import Readiness
from harness.platform.stamps import STAMP_ROOM, Receive, ask_for_stamps, receiving, unpack_stamp

FEW = 8  # sockets: conformance is as prompt as the loop is
HOLD_SECONDS = 0.004
BURST = 64  # packets: a millisecond or two, then the pacer gets its turn
RECEIVE_BUFFER = 262_144  # bytes, as aioice gives its sockets
LARGEST = 2048  # bytes: twice what path MTU discovery of DTLS over WebRTC leaves
LOOKS_KEPT = 2000  # whose lateness is kept until somebody asks: some seconds
LONGEST_UNREAD = 60.0  # seconds: by then a call's packets have filled the buffer
CLOCK_STEP = 0.05  # seconds: wall time was set, so what the kernel noted says nothing

_now = MonotonicClock.now


class Datagrams(Protocol):
    """What gets the datagrams of a socket: asyncio's DatagramProtocol, and the arrival with each."""

    def datagram_received(self, data: bytes, addr: tuple[Any, ...], arrival: float, /) -> None:
        """Take one; its arrival is on the monotonic clock."""
        ...

    def error_received(self, exc: Exception) -> None: ...

    def connection_lost(self, exc: Exception | None) -> None: ...


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
        self._reader = _Reader.shared()
        self._reader.add(bound, receiver)

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
        self._reader.remove(self._socket)
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
    reader = _Reader.of_this_loop()
    if reader is None:
        return []
    late = list(reader.late)
    reader.late.clear()
    return late


class _Entry(NamedTuple):
    socket: socket.socket
    receive: Receive
    receiver: Datagrams


class _Reader:
    """All sockets of an event loop; exists while there are any."""

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, _Reader]] = WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._sockets = Readiness(loop, self._ready)
        self._open = 0
        self._ready_ones: deque[_Entry] = deque()  # one packet from each is next
        self._held: asyncio.TimerHandle | None = None
        self._clock_offset = monotonic_of_wall()
        self.late: deque[float] = deque(maxlen=LOOKS_KEPT)
        self._sockets.arm()

    @classmethod
    def of_this_loop(cls) -> _Reader | None:
        """The running loop's reader; None while it has no sockets."""
        return cls._of_loop.get(asyncio.get_running_loop())

    @classmethod
    def shared(cls) -> _Reader:
        """The running loop's reader, made where there is none."""
        reader = cls.of_this_loop()
        if reader is None:
            loop = asyncio.get_running_loop()
            reader = cls._of_loop[loop] = cls(loop)
        return reader

    def add(self, bound: socket.socket, receiver: Datagrams) -> None:
        self._sockets.add(bound, _Entry(bound, receiving(bound), receiver))
        self._open += 1

    def remove(self, bound: socket.socket) -> None:
        self._sockets.remove(bound)
        self._open -= 1
        if not self._open:
            if self._held is None:
                self._sockets.disarm()
            else:
                self._held.cancel()
            self._sockets.close()
            del self._of_loop[self._loop]

    def _ready(self) -> None:
        """Something came while nothing was expected."""
        self._drain()
        if self._open > FEW:
            self._sockets.disarm()
            self._held = self._loop.call_later(HOLD_SECONDS, self._look)

    def _look(self) -> None:
        """Go on looking as long as something is found."""
        if self._drain() and self._open > FEW:
            self._held = self._loop.call_later(0 if self._ready_ones else HOLD_SECONDS, self._look)
        elif self._open:
            self._held = None
            self._sockets.arm()

    def _drain(self) -> bool:
        """Read what there is; whether there was anything."""
        offset, began = monotonic_of_wall(), _now()
        stepped = abs(offset - self._clock_offset) > CLOCK_STEP
        self._clock_offset = offset
        ready_ones = self._ready_ones
        for taken in range(BURST):
            if not ready_ones and self._open:
                ready_ones.extend(self._sockets.now())
            if not ready_ones:
                return taken > 0
            bound, receive, receiver = ready_ones.popleft()
            try:
                data, ancillary, _flags, addr = receive(LARGEST, STAMP_ROOM)
            except (BlockingIOError, InterruptedError):
                continue
            except OSError as error:
                if bound.fileno() >= 0:  # else closed by one before it
                    receiver.error_received(error)
                continue
            if stepped or not ancillary:
                arrival = _now()
            else:
                seconds, nanoseconds = unpack_stamp(ancillary[0][2])
                arrival = seconds + nanoseconds * 1e-9 + offset
                if not -CLOCK_STEP < began - arrival < LONGEST_UNREAD:
                    arrival = _now()  # the kernel's wall clock is not the one that we are shown (libfaketime)
                elif not taken:
                    self.late.append(_now() - arrival)
            try:
                receiver.datagram_received(data, addr, arrival)
            except Exception as error:  # one call must not stop the others
                self._loop.call_exception_handler(
                    {"message": "a datagram's receiver failed", "exception": error}
                )
        return True
