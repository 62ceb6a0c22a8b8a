"""A STUN and TURN server that misbehaves on purpose: what coturn cannot be made to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aioice import stun

Answer = stun.Message | bytes | None
Behave = Callable[[stun.Message, tuple[str, int]], Answer]

LOOPBACK = "127.0.0.1"


class FakeIceServer(asyncio.DatagramProtocol):
    """Answers each request with what `behave` makes of it, `delay` seconds later; None: not at all."""

    transport: asyncio.DatagramTransport

    def __init__(self, behave: Behave, delay: float = 0.0) -> None:
        self.behave = behave
        self.delay = delay
        self.requests: list[stun.Message] = []

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])

    @property
    def stun(self) -> str:
        return f"stun:{LOOPBACK}:{self.port}"

    @property
    def turn(self) -> str:
        return f"turn:{LOOPBACK}:{self.port}?transport=udp"

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = stun.parse_message(data)
        self.requests.append(request)
        answer = self.behave(request, addr)
        if answer is not None:
            asyncio.get_running_loop().call_later(self.delay, self._send, bytes(answer), addr)

    def _send(self, answer: bytes, addr: tuple[str, int]) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(answer, addr)


@asynccontextmanager
async def fake_ice_server(behave: Behave, delay: float = 0.0) -> AsyncIterator[FakeIceServer]:
    """One on a free port of loopback."""
    _, server = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: FakeIceServer(behave, delay), local_addr=(LOOPBACK, 0)
    )
    try:
        yield server
    finally:
        server.transport.close()
        await asyncio.sleep(0)  # lets the socket's connection_lost run


def answers(request: stun.Message, addr: tuple[str, int]) -> stun.Message:
    """As a STUN server should."""
    answer = _reply(request, stun.Class.RESPONSE)
    answer.attributes["XOR-MAPPED-ADDRESS"] = addr
    return answer


def maps_to(host: str) -> Behave:
    """As behind a NAT that gives everybody this address."""

    def behave(request: stun.Message, addr: tuple[str, int]) -> Answer:
        return answers(request, (host, addr[1]))

    return behave


def answers_without_address(request: stun.Message, addr: tuple[str, int]) -> Answer:
    """As a server of before RFC 5389, which knows MAPPED-ADDRESS only."""
    return _reply(request, stun.Class.RESPONSE)


def keeps_silent(request: stun.Message, addr: tuple[str, int]) -> Answer:
    """As behind a firewall that drops."""
    return None


def refuses(code: int, reason: str) -> Behave:
    """With an error that asks for no credentials."""

    def behave(request: stun.Message, addr: tuple[str, int]) -> Answer:
        answer = _reply(request, stun.Class.ERROR)
        answer.attributes["ERROR-CODE"] = (code, reason)
        return answer

    return behave


def _reply(request: stun.Message, kind: stun.Class) -> stun.Message:
    return stun.Message(
        message_method=request.message_method, message_class=kind, transaction_id=request.transaction_id
    )
