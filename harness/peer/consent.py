"""Consent to send (RFC 7675): a path that has answered no check for 30 s is no longer ours to send on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class ConsentTimes:
    """Seconds between checks, 20 % more or less, and from the last sign of life to the end of consent."""

    check: float = 5.0
    expiry: float = 30.0


RFC_7675 = ConsentTimes()  # section 5.1


class Consent:
    """Calls `on_expired` once, `seconds` after the last `renew`. One timer, moved only when it fires."""

    def __init__(self, on_expired: Callable[[], None], seconds: float) -> None:
        self._on_expired = on_expired
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._renewed_at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(seconds, self._look)

    def renew(self) -> None:
        """The other end has shown that it still wants what we send."""
        self._renewed_at = self._loop.time()

    def stop(self) -> None:
        """Watch no more; idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        expires = self._renewed_at + self._seconds
        if expires > self._loop.time():
            self._timer = self._loop.call_at(expires, self._look)
        else:
            self._timer = None
            self._on_expired()
