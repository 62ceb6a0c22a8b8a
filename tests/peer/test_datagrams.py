from __future__ import annotations

import asyncio
import itertools
import socket
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from harness.core.clock import MonotonicClock, monotonic_of_wall
from harness.peer import reading
from harness.peer.datagrams import DatagramSocket, open_datagrams, reading_lateness
from harness.peer.reading import FEW, Reader
from tests.peer.pairs import until

pytestmark = pytest.mark.usefixtures("packet_path")  # with both

BLOCKED = 0.15
PROBED = 0.02


class Got:
    """Keeps what it gets."""

    def __init__(self, on_datagram: Callable[[], None] = lambda: None) -> None:
        self.arrived: list[tuple[bytes, float]] = []
        self.errors: list[Exception] = []
        self.ends = 0
        self._on_datagram = on_datagram

    def datagram_received(self, data: bytes, addr: tuple[Any, ...], arrival: float) -> None:
        self.arrived.append((data, arrival))
        self._on_datagram()

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ends += 1


def opened(got: Got, address: str = "127.0.0.1") -> DatagramSocket:
    return open_datagrams(address, got)


def port_of(end: DatagramSocket) -> tuple[str, int]:
    name: tuple[str, int] = end.get_extra_info("sockname")[:2]
    return name


@pytest.fixture(params=[2, FEW + 4], ids=["few", "many"])
async def ends(request: pytest.FixtureRequest) -> AsyncIterator[list[tuple[DatagramSocket, Got]]]:
    """So few that they are read at once, and so many that they are read together."""
    got = [Got() for _ in range(request.param)]
    sockets = [opened(one) for one in got]
    yield list(zip(sockets, got, strict=True))
    for each in sockets:
        each.close()
    await asyncio.sleep(0)
    assert asyncio.get_running_loop() not in Reader._of_loop


async def until_the_kernel_stamps(sender: DatagramSocket, receiver: DatagramSocket, got: Got) -> None:
    """It begins by deferred work after the machine's first socket asked; before, it notes the reading."""
    clock = MonotonicClock()
    stamped = False
    while not stamped:
        sender.sendto(b"probe", port_of(receiver))
        sent = clock.now()
        while clock.now() < sent + PROBED:
            pass
        await until(lambda: got.arrived)
        stamped = got.arrived[0][1] < sent + PROBED / 2
        got.arrived.clear()


async def test_every_datagram_arrives_once_and_in_order(ends: list[tuple[DatagramSocket, Got]]) -> None:
    for number in range(100):
        for (sender, _), (receiver, _) in itertools.pairwise(ends):
            sender.sendto(str(number).encode(), port_of(receiver))
        await asyncio.sleep(0)
    await until(lambda: all(len(got.arrived) == 100 for _, got in ends[1:]))
    expected = [str(number).encode() for number in range(100)]
    assert all([data for data, _ in got.arrived] == expected for _, got in ends[1:])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says when a datagram arrived")
async def test_an_arrival_is_the_kernels_however_late_the_loop_looks(
    ends: list[tuple[DatagramSocket, Got]],
) -> None:
    clock = MonotonicClock()
    (sender, _), (receiver, got), *_ = ends
    await until_the_kernel_stamps(sender, receiver, got)
    before = clock.now()
    sender.sendto(b"early", port_of(receiver))
    after = clock.now()
    while clock.now() < after + BLOCKED:
        pass  # the loop is busy with something else
    await until(lambda: got.arrived)
    assert before - 0.005 <= got.arrived[0][1] <= after + BLOCKED / 3


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says when a datagram arrived")
async def test_how_late_packets_are_read_is_told_once(ends: list[tuple[DatagramSocket, Got]]) -> None:
    clock = MonotonicClock()
    (sender, _), (receiver, got), *_ = ends
    await until_the_kernel_stamps(sender, receiver, got)
    reading_lateness()
    sender.sendto(b"waits", port_of(receiver))
    sent = clock.now()
    while clock.now() < sent + BLOCKED:
        pass
    await until(lambda: got.arrived)
    assert max(reading_lateness()) >= BLOCKED * 0.9
    assert reading_lateness() == []


async def test_nobody_reads_late_where_there_are_no_sockets() -> None:
    assert reading_lateness() == []


async def test_wall_time_that_is_set_does_not_move_an_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    got = Got()
    end = opened(got)
    true = monotonic_of_wall()
    monkeypatch.setattr(reading, "monotonic_of_wall", lambda: true - 3600.0)
    end.sendto(b"x", port_of(end))
    await until(lambda: got.arrived)
    end.close()
    assert got.arrived[0][1] == pytest.approx(MonotonicClock().now(), abs=5)


async def test_a_receiver_that_fails_is_told_to_the_loop_and_the_others_hear_on() -> None:
    def fail() -> None:
        raise RuntimeError("planted")

    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    broken, well = Got(fail), Got()
    first, second = opened(broken), opened(well)
    for receiver in (first, second):
        first.sendto(b"x", port_of(receiver))
    await until(lambda: well.arrived and told)
    first.close()
    second.close()
    assert [str(context["exception"]) for context in told] == ["planted"]


async def test_a_receiver_may_close_every_socket() -> None:
    sockets: list[DatagramSocket] = []

    def close_all() -> None:
        for each in sockets:
            each.close()

    got = [Got(close_all) for _ in range(FEW + 4)]
    sockets += [opened(one) for one in got]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for each in sockets:
            sender.sendto(b"x", port_of(each))
    await until(lambda: all(one.ends == 1 for one in got))
    assert sum(len(one.arrived) for one in got) == 1
    again = Got()
    end = opened(again)
    end.sendto(b"x", port_of(end))
    await until(lambda: again.arrived)
    end.close()


async def test_what_the_kernel_has_no_room_for_leaves_later_and_in_order() -> None:
    got = Got()
    end = opened(got)
    real, refused = end.send_at_once, iter(range(3))

    def full(data: bytes, addr: tuple[Any, ...]) -> int:
        if next(refused, None) is not None:
            raise BlockingIOError
        return real(data, addr)

    end.send_at_once = full  # type: ignore[assignment]  # a kernel without room, for three times
    for data in (b"1", b"2", b"3"):
        end.sendto(data, port_of(end))
    await until(lambda: len(got.arrived) == 3)
    end.close()
    assert [data for data, _ in got.arrived] == [b"1", b"2", b"3"]


async def test_an_error_of_sending_goes_to_the_receiver() -> None:
    got = Got()
    end = opened(got)
    end.sendto(b"x", ("255.255.255.255", 9))  # broadcasting was not asked for
    end.close()
    assert isinstance(got.errors[0], PermissionError)


async def test_a_closed_socket_tells_its_receiver_once_and_sends_no_more() -> None:
    got, left = Got(), Got()
    end, other = opened(got), opened(left)
    end.close()
    end.close()
    end.sendto(b"x", port_of(other))
    other.abandon()
    await asyncio.sleep(0.01)
    assert end.is_closing()
    assert (got.ends, left.ends) == (1, 0)
    assert not left.arrived
