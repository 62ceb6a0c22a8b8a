"""A detour for a browser's packets: through sockets of ours, which can lose them, on the way to the far end.

A browser's own sockets are out of reach. So the answer's candidates are replaced, in the browser, by one of
ours, as a NAT in between would appear: what comes from the browser goes on to the far end from a socket of
its own for each of the browser's, and back. An offer that is posted at once holds no candidate, so the far
end learns of no other way (RFC 8445, section 7.3.1.3).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field

from harness.core.caller_end import Wire
from harness.core.errors import HarnessError
from harness.core.sdp import parse_sdp

APPLICATION_DATA = 23  # content type of a DTLS record (RFC 6347, section 4.1)
LARGEST_DATAGRAM = 65_535
BUFFER_BYTES = 1 << 20
FOLLOW_SECONDS = 3.0  # for the far end to answer at a new port: several of the browser's checks
POLL_SECONDS = 0.05

Address = tuple[str, int]


@dataclass
class _Way:
    """One of the browser's sockets, and ours that stands for it at the far end."""

    browser: Address
    outside: socket.socket
    received: int = field(default=0)


class Detour:
    """One call's. `port` is on loopback; where packets go is known once there is an answer.

    `silent_channel`: what the data channel would send is lost, and nothing else is.
    """

    def __init__(self, *, silent_channel: bool = False) -> None:
        self._silent_channel = silent_channel
        self._loop = asyncio.get_running_loop()
        self._inside = self._bound(socket.AF_INET, "127.0.0.1")
        self._ways: dict[Address, _Way] = {}
        self._far: Address | None = None
        self._wire: Wire | None = None
        try:
            self._loop.add_reader(self._inside, self._from_browser)
        except NotImplementedError as error:  # Windows' proactor loop, which alone starts browsers there
            self._inside.close()
            raise HarnessError("on Windows a browser's network cannot be made bad", "use WSL") from error

    @property
    def port(self) -> int:
        return int(self._inside.getsockname()[1])

    def towards(self, answer: str) -> None:
        """Lead to the answer's best candidate over UDP; an answer without one leads nowhere."""
        candidates = [c for section in parse_sdp(answer).sections for c in section.candidates]
        over_udp = [c for c in candidates if c.protocol.lower() == "udp" and c.component == 1]
        if over_udp:
            best = max(over_udp, key=lambda c: c.priority)
            self._far = best.address, best.port

    def put_behind(self, wire: Wire) -> None:
        """From now on the wire decides which datagrams pass, and when."""
        self._wire = wire

    async def rebind(self) -> bool:
        """Go on from other ports; whether the far end answered at one of them."""
        for browser, way in list(self._ways.items()):
            self._drop(way)
            self._ways[browser] = self._new_way(browser)
        try:
            async with asyncio.timeout(FOLLOW_SECONDS):
                while not any(way.received for way in self._ways.values()):  # noqa: ASYNC110  (one short wait)
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Close every socket; idempotent."""
        if self._inside.fileno() < 0:
            return
        self._loop.remove_reader(self._inside)
        self._inside.close()
        for way in self._ways.values():
            self._drop(way)
        self._ways.clear()

    def _from_browser(self) -> None:
        for data, browser in _waiting(self._inside):
            if self._far is None:
                continue  # it is sent again: a check, since nothing else comes first
            way = self._ways.get(browser)
            if way is None:
                way = self._ways[browser] = self._new_way(browser)
            self._pass(data, way, outgoing=True)

    def _from_far_end(self, way: _Way) -> None:
        for data, _ in _waiting(way.outside):
            way.received += 1
            self._pass(data, way, outgoing=False)

    def _pass(self, data: bytes, way: _Way, *, outgoing: bool) -> None:
        if self._silent_channel and is_application_data(data):
            return

        def pass_on() -> None:
            # A full buffer or a port that nobody has loses a datagram, as networks do.
            with contextlib.suppress(OSError):
                if outgoing:
                    way.outside.send(data)
                else:
                    self._inside.sendto(data, way.browser)

        if self._wire is None:
            pass_on()
        elif outgoing:
            self._wire.outgoing(len(data), pass_on)
        else:
            self._wire.incoming(len(data), pass_on)

    def _new_way(self, browser: Address) -> _Way:
        assert self._far is not None  # noqa: S101  (asked before)
        family = socket.AF_INET6 if ":" in self._far[0] else socket.AF_INET
        outside = self._bound(family, "")
        outside.connect(self._far)
        way = _Way(browser, outside)
        self._loop.add_reader(outside, self._from_far_end, way)
        return way

    def _drop(self, way: _Way) -> None:
        self._loop.remove_reader(way.outside)
        way.outside.close()

    @staticmethod
    def _bound(family: socket.AddressFamily, host: str) -> socket.socket:
        bound = socket.socket(family, socket.SOCK_DGRAM)
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        if host:
            bound.bind((host, 0))
        return bound


def is_application_data(datagram: bytes) -> bool:
    """Whether it is a DTLS record of application data, which in a call is SCTP alone (RFC 8261).

    Of DTLS 1.3 every encrypted record looks alike (RFC 9147, section 4), the end of its handshake too.
    """
    return bool(datagram) and (datagram[0] == APPLICATION_DATA or 32 <= datagram[0] <= 63)


def _waiting(bound: socket.socket) -> list[tuple[bytes, Address]]:
    """The datagrams that are there."""
    found: list[tuple[bytes, Address]] = []
    with contextlib.suppress(OSError):
        while True:
            data, address = bound.recvfrom(LARGEST_DATAGRAM)
            found.append((data, address[:2]))
    return found
