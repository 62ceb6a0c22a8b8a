"""One socket of a call: aioice's protocol, with what is done to its datagrams as plain state.

Everything that comes or goes passes here: STUN, DTLS and SRTP. Each part of the state is set and unset by
itself, in any order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from aioice.ice import Connection, StunProtocol
from aioice.stun import Message

from harness.core.caller_end import Wire
from harness.peer.checks import CheckCounter

logger = logging.getLogger(__name__)

OnDatagram = Callable[[bytes, float | None], None]  # the arrival on the monotonic clock, where it is known


class CallProtocol(StunProtocol):
    """`socket` is the real transport; `transport` is where aioice and media send, which may lie behind more.

    `wire`: what datagrams pass on their way, if any. `silent`: nothing comes in or goes out, nor is counted.
    `unanswering`: connectivity checks are counted, and that is all that is done with what comes. `on_media`
    gets SRTP and SRTCP (first byte 128 to 191, RFC 7983), `on_dtls` DTLS (20 to 63); `checks` counts STUN,
    once they are there.
    """

    def __init__(self, connection: Connection, on_dtls: Callable[[bytes], None]) -> None:
        super().__init__(connection)
        self.on_dtls = on_dtls
        self.socket: Any = None
        self.wire: Wire | None = None
        self.silent = False
        self.unanswering = False
        self.on_media: OnDatagram | None = None
        self.checks: CheckCounter | None = None
        self._way_out = _WayOut(self)

    @property
    def is_plain(self) -> bool:
        """Whether nothing is done to its datagrams."""
        return self.wire is None and not self.silent and not self.unanswering

    @property
    def transport(self) -> Any:
        """The socket itself where nothing is between, as media is to be sent at once."""
        return self.socket if self.wire is None and not self.silent else self._way_out

    @transport.setter
    def transport(self, socket: Any) -> None:
        self.socket = socket

    def datagram_received(
        self, data: bytes | str, addr: tuple[Any, ...], arrival: float | None = None
    ) -> None:
        """From the socket."""
        if isinstance(data, str) or not data:
            return
        if self.wire is not None and not self.silent:
            # It arrives when the wire passes it on, whenever it reached the socket.
            self.wire.incoming(len(data), partial(self._arrived, data, addr, None))
        else:
            self._arrived(data, addr, arrival)

    def _arrived(self, data: bytes, addr: tuple[Any, ...], arrival: float | None) -> None:
        if self.silent:
            return
        first = data[0]
        if 128 <= first <= 191 and self.on_media is not None:
            if not self.unanswering:
                self.on_media(data, arrival)
            return
        if first < 4 and len(data) > 1 and self.checks is not None:
            self.checks.count(first, data[1], outgoing=False)
        if self.unanswering:
            return
        if 19 < first < 64:
            self.on_dtls(data)
            return
        try:
            super().datagram_received(data, addr)
        except Exception as error:  # such as struct's, for an attribute that is too short
            # Anybody may send such a thing to the port, so it says nothing about the other end.
            logger.info("%d bytes from %s could not be read: %r", len(data), addr, error)

    def send_stun(self, message: Message, addr: tuple[str, int]) -> None:
        """Count it and send it."""
        if self.silent:
            return
        if self.checks is not None:
            self.checks.count(*divmod(message.message_method | message.message_class, 256), outgoing=True)
        super().send_stun(message, addr)


class _WayOut:
    """A protocol's socket behind what its state says; all but sending is the socket's own."""

    def __init__(self, protocol: CallProtocol) -> None:
        self._protocol = protocol

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol.socket, name)

    def sendto(self, data: bytes, addr: Any = None) -> None:
        protocol = self._protocol
        if protocol.silent:
            return
        if protocol.wire is None:
            self._send(data, addr)
        else:
            protocol.wire.outgoing(len(data), partial(self._send, data, addr))

    def _send(self, data: bytes, addr: Any) -> None:
        # What a wire has taken is under way, whatever became of us since.
        if not is_closing(self._protocol.socket):
            self._protocol.socket.sendto(data, addr)


def is_closing(transport: Any) -> bool:
    """Whether a pair's transport is closing.

    aioice's TURN transport cannot be asked, and drops by itself what comes too late.
    """
    closing: Callable[[], bool] = getattr(transport, "is_closing", lambda: False)
    return closing()
