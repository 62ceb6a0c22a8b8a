from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Iterator
from functools import partial

import pytest

from harness.network.impairments import Impairment, Path
from harness.network.presets import Conditions
from tests.peer.pairs import until
from tools.transports.forwarding import Forwarder

SLOW = Conditions("slow", up=Impairment(delay_ms=60), down=Impairment(delay_ms=20))
LOSSY = Impairment(loss=0.3)


class Wires:
    """Two devices that keep packets apart, as TUN devices do: `outer` ends are the machines'."""

    def __init__(self) -> None:
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
        for each in (end for pair in pairs for end in pair):
            each.setblocking(False)
        (self.caller, self.near), (self.servers, self.far) = pairs

    def came(self, end: socket.socket) -> list[bytes]:
        """What has come to a machine by now."""
        found = []
        while True:
            try:
                found.append(end.recv(65_535))
            except BlockingIOError:
                return found


@pytest.fixture
def wires() -> Iterator[Wires]:
    made = Wires()
    yield made
    for each in (made.caller, made.near, made.servers, made.far):
        each.close()


async def test_packets_cross_both_ways_whole_in_order_and_counted(wires: Wires) -> None:
    forwarder = Forwarder(wires.near.fileno(), wires.far.fileno())
    sent = [bytes([n]) * (n + 1) for n in range(20)]
    for packet in sent:
        wires.caller.send(packet)
    wires.servers.send(b"down")
    await until(lambda: forwarder.crossed["up"].packets == 20 and forwarder.crossed["down"].packets == 1)
    assert wires.came(wires.servers) == sent
    assert wires.came(wires.caller) == [b"down"]
    assert (forwarder.crossed["up"].bytes, forwarder.crossed["down"].bytes) == (sum(map(len, sent)), 4)
    forwarder.close()


async def test_each_direction_has_the_delay_of_the_model_and_keeps_the_order(wires: Wires) -> None:
    forwarder = Forwarder(wires.near.fileno(), wires.far.fileno())
    forwarder.begin(SLOW, "seed")
    loop = asyncio.get_running_loop()
    began = loop.time()
    first: dict[str, float] = {}
    came: dict[str, list[bytes]] = {"up": [], "down": []}
    ends = {"up": wires.servers, "down": wires.caller}

    def arrived(name: str) -> None:
        first.setdefault(name, loop.time() - began)
        came[name] += wires.came(ends[name])

    for name, end in ends.items():
        loop.add_reader(end.fileno(), partial(arrived, name))
    for packet in (b"1", b"2", b"3"):
        wires.caller.send(packet)
    wires.servers.send(b"4")
    await until(lambda: len(came["up"]) == 3 and len(came["down"]) == 1)  # each has a timer of its own
    assert first["down"] >= 0.019
    assert first["up"] >= 0.059
    assert came == {"up": [b"1", b"2", b"3"], "down": [b"4"]}
    for end in ends.values():
        loop.remove_reader(end.fileno())
    forwarder.close()


async def test_what_is_lost_is_what_the_seeded_model_says(wires: Wires) -> None:
    """So both ways of a call can be given the same network."""
    model = Path(LOSSY, random.Random("a seed/up"))
    expected = [n for n in range(60) if model.send(0.0, 1)]
    assert 10 < len(expected) < 60
    forwarder = Forwarder(wires.near.fileno(), wires.far.fileno())
    for _ in range(2):  # another call, with counts of its own
        forwarder.begin(Conditions("lossy", up=LOSSY), "a seed")
        for n in range(60):
            wires.caller.send(bytes([n]))
        await until(lambda: forwarder.crossed["up"].packets == 60)
        assert [packet[0] for packet in wires.came(wires.servers)] == expected
        assert forwarder.link.counted("up").lost == 60 - len(expected)
    forwarder.close()


async def test_nothing_crosses_in_the_dark_nor_after_the_end(wires: Wires) -> None:
    forwarder = Forwarder(wires.near.fileno(), wires.far.fileno())
    forwarder.link.blackout(60)
    wires.caller.send(b"lost")
    await until(lambda: forwarder.crossed["up"].packets == 1)
    forwarder.begin(Conditions("clear"), "seed")
    forwarder.close()
    wires.caller.send(b"late")
    await asyncio.sleep(0)
    assert wires.came(wires.servers) == []


async def test_a_device_that_is_gone_is_no_failure(wires: Wires) -> None:
    forwarder = Forwarder(wires.near.fileno(), wires.far.fileno())
    wires.servers.close()
    wires.caller.send(b"to nobody")
    await until(lambda: forwarder.crossed["up"].packets == 1)
    forwarder.close()
