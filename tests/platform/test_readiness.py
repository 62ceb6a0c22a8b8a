"""Readiness and stamps: how datagrams are read, with what Linux has and without."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from harness.core.clock import MonotonicClock
from harness.platform.loop import run_loop
from harness.platform.readiness import Readiness
from harness.platform.stamps import STAMP_ROOM, ask_for_stamps, receiving, unpack_stamp


@contextmanager
def bound(count: int) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(count)
        ]
        for each in sockets:
            each.setblocking(False)
            each.bind(("127.0.0.1", 0))
        yield sockets


def test_only_what_can_be_read_is_named_and_only_while_armed_is_it_told(either_way: bool) -> None:
    del either_way

    async def told() -> list[list[str]]:
        with bound(3) as (sender, one, other):
            came = asyncio.Event()
            sockets = Readiness(asyncio.get_running_loop(), came.set)
            sockets.arm()
            sockets.add(one, "one")
            sockets.add(other, "other")
            found = [sockets.now()]
            sender.sendto(b"x", other.getsockname())
            async with asyncio.timeout(5):
                await came.wait()
            found.append(sockets.now())
            sockets.disarm()
            came.clear()
            sender.sendto(b"x", one.getsockname())
            await asyncio.sleep(0.02)
            assert not came.is_set()
            found.append(sorted(sockets.now()))
            sockets.arm()
            async with asyncio.timeout(5):
                await came.wait()
            sockets.remove(other)
            found.append(sockets.now())
            sockets.remove(one)
            await asyncio.sleep(0)
            came.clear()
            await asyncio.sleep(0.02)
            assert not came.is_set(), "what was removed is watched no more"
            sockets.disarm()
            sockets.close()
            return found

    assert run_loop(told()) == [[], ["other"], ["one", "other"], ["one"]]


def test_a_datagram_has_the_time_of_its_arrival_where_the_kernel_notes_it(either_way: bool) -> None:
    with bound(2) as (sender, receiver):
        ask_for_stamps(receiver)
        receive = receiving(receiver)
        stamped, deadline = False, MonotonicClock.now() + 5
        while not stamped and MonotonicClock.now() < deadline:  # the first may come before the kernel began
            sender.sendto(b"said", receiver.getsockname())
            data, ancillary, _flags, address = receive(100, STAMP_ROOM)
            assert (data, address) == (b"said", sender.getsockname())
            stamped = bool(ancillary)
            if either_way:
                break
    assert stamped is not either_way
    if stamped:
        seconds, nanoseconds = unpack_stamp(ancillary[0][2])
        assert seconds > 1_600_000_000
        assert 0 <= nanoseconds < 1_000_000_000
