"""Ports that an offer names for sections which BUNDLE makes superfluous: bound, so that nobody has them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable


class SparePorts:
    """Bound UDP sockets that nobody reads. `close` when the answer has come, as a browser does."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    @property
    def numbers(self) -> list[int]:
        """Those that are bound."""
        return [bound.getsockname()[1] for bound in self._sockets]

    def bind(self, addresses: Iterable[str]) -> None:
        """One more for each address that can be bound."""
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            bound = socket.socket(family, socket.SOCK_DGRAM)
            self._sockets.append(bound)
            try:
                bound.bind((address, 0))
            except OSError:
                self._sockets.remove(bound)
                bound.close()

    def close(self) -> None:
        """Idempotent."""
        for bound in self._sockets:
            with contextlib.suppress(OSError):
                bound.close()
        self._sockets.clear()
