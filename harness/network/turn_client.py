"""One connection to a STUN or TURN server, driven request by request, over aioice's client for TURN.

What aioice leaves private or undocumented and is needed here has a name here, and nowhere else on this floor;
`tests/network/test_turn_client.py` fails by name when a release changes one of these.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import struct
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from aioice import stun, turn

from harness.config.ice import IceUrl
from harness.network.failures import printable
from harness.network.gathering import tls_context

Address = tuple[str, int]
T = TypeVar("T")

LIFETIME = 60  # seconds that an allocation lives, should its end not reach the server
GOODBYE_SECONDS = 1.0


class TurnClient:
    """Requests to one server. Each raises one of `failures.ASKING_FAILS`, and none has a time-out."""

    def __init__(self, inner: Any, lost: asyncio.Future[BaseException], inbox: Inbox) -> None:
        self._inner = inner
        self._lost = lost
        self.inbox = inbox

    @property
    def realm(self) -> str:
        """What the server calls its users' realm; empty until it asked for credentials."""
        return printable(self._inner.realm or "")

    @property
    def mapped_address(self) -> Address | None:
        """Where the server saw an allocation's request come from."""
        found: Address | None = self._inner.mapped_address
        return found

    async def binding(self) -> Address:
        """Where the server sees us (RFC 8489, section 2)."""
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        response, _ = await self._or_lost(self._inner.request(request))
        found: Address = response.attributes["XOR-MAPPED-ADDRESS"]
        return found

    async def allocate(self) -> Address:
        """Have an address relayed to us; the server asks for credentials first (RFC 8656, section 7)."""
        found: Address = await self._or_lost(self._inner.connect())
        return found

    async def permit(self, peer: Address) -> None:
        """Bind a channel to the peer, which is a permission for its host, too (RFC 8656, section 12)."""
        inner = self._inner
        number = inner.channel_number
        inner.channel_number += 1
        await self._or_lost(inner.channel_bind(number, peer))
        inner.channel_refresh_at[number] = math.inf
        inner.channel_to_peer[number] = peer
        inner.peer_to_channel[peer] = number

    async def send(self, data: bytes, peer: Address) -> None:
        """Send through the relay."""
        await self._or_lost(self._inner.send_data(data, peer))

    async def close(self) -> None:
        """Give back what was allocated, and end the connection; a server that is gone is not waited for."""
        if self._inner.relayed_address is not None and not self._lost.done():
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._inner.delete()
        # TLS would have the server say goodbye too, and TCP take what it has not read: neither is waited for.
        self._inner.transport.abort()
        for _ in range(2):  # TLS has its own socket's connection_lost first
            await asyncio.sleep(0)

    async def _or_lost(self, asking: Coroutine[Any, Any, T]) -> T:
        """Not for longer than the connection lasts."""
        task = asyncio.ensure_future(asking)
        try:
            either: tuple[asyncio.Future[Any], ...] = (task, self._lost)
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return await task
            raise self._lost.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class Inbox(asyncio.DatagramProtocol):
    """What came, with who sent it."""

    transport: asyncio.DatagramTransport

    def __init__(self) -> None:
        self._came: asyncio.Queue[tuple[bytes, Address]] = asyncio.Queue()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._came.put_nowait((data, addr))

    async def receive(self, message: bytes) -> Address:
        """Wait for this very message; who sent it."""
        while True:
            data, addr = await self._came.get()
            if data == message:
                return addr


@asynccontextmanager
async def open_echo(peer: Address) -> AsyncIterator[Inbox]:
    """A UDP socket of ours, connected to the peer."""
    transport, inbox = await asyncio.get_running_loop().create_datagram_endpoint(Inbox, remote_addr=peer)
    try:
        yield inbox
    finally:
        transport.close()
        await asyncio.sleep(0)  # lets the socket's connection_lost run


class _Losing(turn.TurnClientMixin):
    """Tells of the connection's end, which aioice lets pass, and of what it cannot read."""

    lost: asyncio.Future[BaseException]

    def datagram_received(self, data: bytes | str, addr: Address) -> None:
        try:
            super().datagram_received(data, addr)
        except (struct.error, ValueError, LookupError):
            self._lose(ValueError("an answer that is malformed"))

    def error_received(self, exc: Exception) -> None:
        self._lose(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(exc or ConnectionResetError(104, "the server closed the connection"))

    def _lose(self, exc: BaseException) -> None:
        if not self.lost.done():
            self.lost.set_result(exc)


class _Udp(_Losing, turn.TurnClientUdpProtocol): ...


class _Tcp(_Losing, turn.TurnClientTcpProtocol): ...


@asynccontextmanager
async def connected(
    url: IceUrl, address: Address, username: str, credential: str, ca_file: Path | None
) -> AsyncIterator[TurnClient]:
    """A client connected to an address of the URL's host; raises OSError, of TLS ssl.SSLError."""
    loop = asyncio.get_running_loop()
    lost: asyncio.Future[BaseException] = loop.create_future()

    def make(kind: type[_Udp] | type[_Tcp]) -> Any:
        inner = kind(
            address, username or None, credential or None, LIFETIME, turn.DEFAULT_CHANNEL_REFRESH_TIME
        )
        inner.lost = lost
        return inner

    if url.transport == "udp":
        _, inner = await loop.create_datagram_endpoint(lambda: make(_Udp), remote_addr=address)
    else:
        secure: dict[str, Any] = {}
        if url.secure:
            secure = {"ssl": await tls_context(ca_file), "server_hostname": url.host}
        _, inner = await loop.create_connection(lambda: make(_Tcp), *address, **secure)
    inner.receiver = Inbox()
    client = TurnClient(inner, lost, inner.receiver)
    try:
        yield client
    finally:
        await client.close()
