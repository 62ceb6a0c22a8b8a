"""Connections handed from one owner to another."""

from __future__ import annotations

import asyncio
import socket

import pytest

from harness.platform.handing import MOST_HEAD, Giver, Taker, hand_over_pair


async def test_connections_arrive_with_what_was_read_of_them() -> None:
    """In order, also when many more come than the queue holds; the giver's copies may be closed at once."""
    giving, taking = hand_over_pair()
    taken: list[tuple[socket.socket, bytes]] = []
    all_there = asyncio.Event()
    heads = [bytes([65 + number % 26]) * (MOST_HEAD - number) for number in range(400)]

    def take(connection: socket.socket, head: bytes) -> None:
        taken.append((connection, head))
        if len(taken) == len(heads):
            all_there.set()

    giver, taker = Giver(giving), Taker(taking, take)

    async def give(head: bytes) -> None:
        near, far = socket.socketpair()
        with near, far:
            near.sendall(head[:4])
            await giver.give(far, head)

    async with asyncio.timeout(10):
        await asyncio.gather(*(give(head) for head in heads))
        await all_there.wait()
    for (connection, head), given in zip(taken, heads, strict=True):
        with connection:
            assert head == given
            assert connection.recv(10) == given[:4]
            assert connection.recv(10) == b""
    giver.close()
    taker.close()


async def test_a_taker_that_is_gone_is_an_os_error() -> None:
    """So that another can be chosen."""
    giving, taking = hand_over_pair()
    taking.close()
    giver = Giver(giving)
    near, far = socket.socketpair()
    with near, far, pytest.raises(OSError, match=r".+"):
        await giver.give(far, b"GET / HTTP/1.1\r\n")
    giver.close()
