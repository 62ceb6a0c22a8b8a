"""When a datagram arrived: Linux's kernel notes it. Elsewhere it is when we read it, late by our delay."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any

from harness.platform.plain import is_plain

# Linux only: asm-generic/socket.h; the control message has the same number, and a struct timespec.
# The kernel begins to note arrivals a moment after the machine's first socket asked (deferred work): what
# came before that arrives when it is read, which concerns a connectivity check at most.
SO_TIMESTAMPNS = 35
_timespec = struct.Struct("@ll")
unpack_stamp = _timespec.unpack  # of a control message's data: seconds and nanoseconds of wall time
STAMP_ROOM = 64  # bytes: a control message with it has half as many

Received = tuple[bytes, Sequence[tuple[int, int, bytes]], int, Any]
Receive = Callable[[int, int], Received]


def ask_for_stamps(bound: socket.socket) -> None:
    """From now on its datagrams are stamped, where a system does that."""
    if sys.platform == "linux" and not is_plain():
        bound.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def receiving(bound: socket.socket) -> Receive:
    """How to read it, as with `recvmsg(size, STAMP_ROOM)`: no stamp among what comes where there is none."""
    if sys.platform == "linux" and not is_plain():
        return bound.recvmsg
    receive = bound.recvfrom

    def received(size: int, _room: int) -> Received:
        data, address = receive(size)
        return data, (), 0, address

    return received
