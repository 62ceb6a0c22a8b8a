"""A browser's datagrams on their way through us, with sockets in the place of the browser and the far end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from harness.browser.detour import Detour, is_application_data

HANDSHAKE, SCTP, RTP = bytes([22, 254, 253]), bytes([23, 254, 253]), bytes([128, 111])


class Dark:
    """A wire that loses everything."""

    def outgoing(self, size: int, pass_on: Callable[[], object]) -> None: ...
    def incoming(self, size: int, pass_on: Callable[[], object]) -> None: ...
    def flush(self) -> None: ...


@pytest.fixture
def far() -> Iterator[socket.socket]:
    with udp() as bound:
        yield bound


@pytest.fixture
async def detour(far: socket.socket) -> AsyncIterator[Detour]:
    made = Detour()
    made.towards(answer(far))
    yield made
    made.close()
    made.close()  # idempotent


def udp() -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind(("127.0.0.1", 0))
    bound.setblocking(False)
    return bound


def answer(far: socket.socket) -> str:
    """With two candidates over UDP, the far end's the better one, and one over TCP that is better still."""
    host, port = far.getsockname()
    return (
        "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
        "a=candidate:1 1 udp 5 192.0.2.1 9 typ host\r\n"
        f"a=candidate:2 1 udp 99 {host} {port} typ host\r\n"
        "a=candidate:3 1 tcp 900 192.0.2.1 9 typ host tcptype passive\r\n"
    )


async def received(bound: socket.socket, within: float = 5.0) -> tuple[bytes, tuple[str, int]]:
    async with asyncio.timeout(within):
        return await asyncio.get_running_loop().sock_recvfrom(bound, 2000)


async def test_what_each_socket_sends_comes_back_to_it(detour: Detour, far: socket.socket) -> None:
    with udp() as one, udp() as other:
        for browser, text in ((one, b"one"), (other, b"other")):
            browser.sendto(text, ("127.0.0.1", detour.port))
            data, ours = await received(far)
            assert data == text
            far.sendto(data + b" back", ours)
            assert (await received(browser))[0] == text + b" back"


async def test_before_there_is_an_answer_nothing_has_a_way() -> None:
    detour = Detour()
    with udp() as browser:
        browser.sendto(b"early", ("127.0.0.1", detour.port))
        await asyncio.sleep(0)
    detour.towards("v=0\r\n")
    detour.close()


async def test_a_wire_decides_what_passes(detour: Detour, far: socket.socket) -> None:
    with udp() as browser:
        detour.put_behind(Dark())
        browser.sendto(b"lost", ("127.0.0.1", detour.port))
        with pytest.raises(TimeoutError):
            await received(far, within=0.2)


async def test_it_goes_on_from_another_port(detour: Detour, far: socket.socket) -> None:
    with udp() as browser:
        browser.sendto(b"one", ("127.0.0.1", detour.port))
        _, before = await received(far)
        rebinding = asyncio.create_task(detour.rebind())
        await asyncio.sleep(0)
        browser.sendto(b"two", ("127.0.0.1", detour.port))
        _, after = await received(far)
        far.sendto(b"seen", after)
        assert await rebinding
        assert before != after


async def test_a_silent_channel_is_all_that_is_lost(far: socket.socket) -> None:
    detour = Detour(silent_channel=True)
    detour.towards(answer(far))
    with udp() as browser:
        for datagram in (HANDSHAKE, SCTP, RTP):
            browser.sendto(datagram, ("127.0.0.1", detour.port))
        assert [(await received(far))[0] for _ in range(2)] == [HANDSHAKE, RTP]
    detour.close()


def test_records_of_dtls_1_3_look_alike() -> None:
    assert [is_application_data(each) for each in (HANDSHAKE, SCTP, RTP, b"", bytes([47]))] == [
        False,
        True,
        False,
        False,
        True,
    ]
