"""Reading all sockets of an event loop at once, each packet with the kernel's time of its arrival.

An event loop's own datagram endpoint wakes the process for each packet and asks each socket twice. Here one
look serves every socket that has something. As in a network card's driver, a packet that comes to few sockets
is read at once; with many, the next look comes `HOLD_SECONDS` later, and finds many packets.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from abc import ABC, abstractmethod
from collections import deque
from typing import Any, ClassVar, NamedTuple, Protocol
from weakref import WeakKeyDictionary

from harness.core.clock import MonotonicClock, monotonic_of_wall
from harness.peer.native.lane import MediaLane
from harness.peer.native.library import ffi, library
from harness.platform.readiness import Epoll, Readiness
from harness.platform.stamps import STAMP_ROOM, Receive, receiving, unpack_stamp

FEW = 8  # sockets: conformance is as prompt as the loop is
HOLD_SECONDS = 0.004
BURST = 64  # packets: a millisecond or two, then the pacer gets its turn
LARGEST = 2048  # bytes: twice what path MTU discovery of DTLS over WebRTC leaves
LOOKS_KEPT = 2000  # whose lateness is kept until somebody asks: some seconds
LONGEST_UNREAD = 60.0  # seconds: by then a call's packets have filled the buffer
CLOCK_STEP = 0.05  # seconds: wall time was set, so what the kernel noted says nothing

_now = MonotonicClock.now
NOTHING, FULL, DATAGRAM, FAILED, ENOUGH = range(5)  # what lanes.c found


class Datagrams(Protocol):
    """What gets the datagrams of a socket: asyncio's DatagramProtocol, and the arrival with each."""

    def datagram_received(self, data: bytes, addr: tuple[Any, ...], arrival: float, /) -> None:
        """Take one; its arrival is on the monotonic clock."""
        ...

    def error_received(self, exc: Exception) -> None: ...

    def connection_lost(self, exc: Exception | None) -> None: ...


class Reader(ABC):
    """All sockets of an event loop; exists while there are any. `number` is what `add` returned."""

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, Reader]] = WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._open = 0
        self._held: asyncio.TimerHandle | None = None
        self._clock_offset = monotonic_of_wall()
        self.late: deque[float] = deque(maxlen=LOOKS_KEPT)

    @classmethod
    def of_this_loop(cls) -> Reader | None:
        """The running loop's reader; None while it has no sockets."""
        return cls._of_loop.get(asyncio.get_running_loop())

    @classmethod
    def shared(cls) -> Reader:
        """The running loop's reader, made where there is none."""
        reader = cls.of_this_loop()
        if reader is None:
            loop, native = asyncio.get_running_loop(), library()
            reader = PlainReader(loop) if native is None else NativeReader(loop, native)
            cls._of_loop[loop] = reader
            reader.arm()
        return reader

    def add(self, bound: socket.socket, receiver: Datagrams) -> int:
        """Read a socket; returns its number here."""
        number = self._register(bound, receiver)
        self._open += 1
        return number

    def remove(self, bound: socket.socket, number: int) -> None:
        """Read it no more, before it is closed."""
        self._unregister(bound, number)
        self._open -= 1
        if not self._open:
            if self._held is None:
                self.disarm()
            else:
                self._held.cancel()
            self._close()
            del self._of_loop[self._loop]

    def give(self, number: int, lane: MediaLane | None) -> None:
        """Let media of a socket go straight to its call's lane; None: to its receiver, as all else."""
        raise NotImplementedError  # where a call has a lane, sockets are read in C

    @abstractmethod
    def _register(self, bound: socket.socket, receiver: Datagrams) -> int: ...

    @abstractmethod
    def _unregister(self, bound: socket.socket, number: int) -> None: ...

    @abstractmethod
    def arm(self) -> None:
        """Be told when something comes."""

    @abstractmethod
    def disarm(self) -> None:
        """No more."""

    @abstractmethod
    def _close(self) -> None: ...

    @abstractmethod
    def _drain(self) -> bool:
        """Read what there is, up to `BURST`; whether there was anything."""

    @abstractmethod
    def _left(self) -> bool:
        """Whether it is known that more is to be read."""

    def _ready(self) -> None:
        """Something came while nothing was expected."""
        self._drain()
        if self._open > FEW:
            self.disarm()
            self._held = self._loop.call_later(HOLD_SECONDS, self._look)

    def _look(self) -> None:
        """Go on looking as long as something is found."""
        if self._drain() and self._open > FEW:
            self._held = self._loop.call_later(0 if self._left() else HOLD_SECONDS, self._look)
        elif self._open:
            self._held = None
            self.arm()

    def _offset(self) -> float | None:
        """From wall time to the monotonic clock's; None where wall time was set: noted times say nothing."""
        offset = monotonic_of_wall()
        stepped = abs(offset - self._clock_offset) > CLOCK_STEP
        self._clock_offset = offset
        return None if stepped else offset

    def _deliver(self, receiver: Datagrams, data: bytes, addr: tuple[Any, ...], arrival: float) -> None:
        try:
            receiver.datagram_received(data, addr, arrival)
        except Exception as error:  # one call must not stop the others
            self._loop.call_exception_handler({"message": "a datagram's receiver failed", "exception": error})


class _Entry(NamedTuple):
    socket: socket.socket
    receive: Receive
    receiver: Datagrams


class PlainReader(Reader):
    """By the interpreter."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._sockets = Readiness(loop, self._ready)
        self._ready_ones: deque[_Entry] = deque()  # one packet from each is next

    def _register(self, bound: socket.socket, receiver: Datagrams) -> int:
        self._sockets.add(bound, _Entry(bound, receiving(bound), receiver))
        return 0

    def _unregister(self, bound: socket.socket, _number: int) -> None:
        self._sockets.remove(bound)

    def arm(self) -> None:
        self._sockets.arm()

    def disarm(self) -> None:
        self._sockets.disarm()

    def _close(self) -> None:
        self._sockets.close()

    def _left(self) -> bool:
        return bool(self._ready_ones)

    def _drain(self) -> bool:
        offset, began = self._offset(), _now()
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
            if offset is None or not ancillary:
                arrival = _now()
            else:
                seconds, nanoseconds = unpack_stamp(ancillary[0][2])
                arrival = seconds + nanoseconds * 1e-9 + offset
                if not -CLOCK_STEP < began - arrival < LONGEST_UNREAD:
                    arrival = _now()  # the kernel's wall clock is not the one that we are shown (libfaketime)
                elif not taken:
                    self.late.append(_now() - arrival)
            self._deliver(receiver, data, addr, arrival)
        return True


class NativeReader(Reader):
    """In C, which hands over what is no media, or has no lane to go to."""

    def __init__(self, loop: asyncio.AbstractEventLoop, native: Any) -> None:
        self._native = native
        super().__init__(loop)
        self._epoll = Epoll(loop, self._ready)
        self._state = ffi.gc(native.reader_new(self._epoll.descriptor), native.reader_free)
        self._data = ffi.buffer(self._state.data)
        self._receivers: dict[int, Datagrams] = {}
        self._lanes: dict[int, MediaLane] = {}
        self._free: list[int] = []

    def arm(self) -> None:
        self._epoll.arm()

    def disarm(self) -> None:
        self._epoll.disarm()

    def give(self, number: int, lane: MediaLane | None) -> None:
        if lane is None:
            self._native.reader_lane(self._state, number, ffi.NULL)
            self._lanes.pop(number, None)
        else:
            self._lanes[number] = lane
            self._native.reader_lane(self._state, number, lane.state)

    def _register(self, bound: socket.socket, receiver: Datagrams) -> int:
        number = self._free.pop() if self._free else len(self._receivers)
        if error := self._native.reader_add(self._state, number, bound.fileno()):
            raise OSError(error, "a socket cannot be read")
        self._receivers[number] = receiver
        return number

    def _unregister(self, _bound: socket.socket, number: int) -> None:
        self._native.reader_remove(self._state, number)
        self._receivers.pop(number)
        self._lanes.pop(number, None)
        self._free.append(number)

    def _close(self) -> None:
        self._epoll.close()

    def _left(self) -> bool:
        return bool(self._native.reader_left(self._state) > 0)

    def _drain(self) -> bool:
        native, state = self._native, self._state
        offset = self._offset()
        native.reader_begin(state, BURST, float("nan") if offset is None else offset)
        while self._open and (found := native.reader_next(state)) not in (NOTHING, ENOUGH):
            if found == FULL:
                self._lanes[state.id].on_full()
                continue
            receiver = self._receivers[state.id]
            if found == DATAGRAM:
                addr = ffi.string(state.address).decode(), state.port
                self._deliver(receiver, self._data[0 : state.size], addr, state.at)
            elif state.error != errno.EBADF:
                receiver.error_received(OSError(state.error, "a socket cannot be read"))
        if state.late >= 0:
            self.late.append(state.late)
        return bool(state.taken)
