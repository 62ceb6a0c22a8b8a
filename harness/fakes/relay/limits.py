"""What a relay can be short of, so that a load test finds it: event loop, connections, memory."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

from harness.core.clock import Clock
from harness.fakes.relay.refusal import Refusal
from harness.fakes.relay.settings import RelaySettings

KIB = 1024


class RelayLimits:
    """Of one relay; each is off where its setting is 0 (see `RelaySettings`)."""

    def __init__(self, settings: RelaySettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._connections = (
            asyncio.Semaphore(settings.upstream_connections) if settings.upstream_connections else None
        )
        self._kept: list[bytearray] = []
        self._tokens = float(settings.offers_per_second)
        self._filled_at = clock.now()
        self._offered = False

    async def enter(self) -> None:
        """An offer comes in. Raises Refusal beyond the rate."""
        settings = self._settings
        if not self._offered and settings.cold_seconds:
            self._offered = True
            await asyncio.sleep(settings.cold_seconds)
        if settings.block_ms:
            threading.Event().wait(settings.block_ms / 1000)  # the loop stands still: that is the limit
        if settings.leak_kib:
            self._kept.append(bytearray(b"\x01") * (KIB * settings.leak_kib))
        if settings.offers_per_second:
            self._take_token(settings.offers_per_second)

    @contextlib.asynccontextmanager
    async def upstream(self) -> AsyncIterator[None]:
        """While one of the connections to the upstream is taken."""
        async with self._connections or contextlib.nullcontext():
            yield

    def _take_token(self, rate: int) -> None:
        """A bucket that holds a second's offers."""
        now = self._clock.now()
        self._tokens = min(float(rate), self._tokens + (now - self._filled_at) * rate)
        self._filled_at = now
        if self._tokens < 1:
            headers = {} if self._settings.no_retry_after else {"Retry-After": "1"}
            raise Refusal(429, "too_many_offers", "more offers than this relay takes", headers)
        self._tokens -= 1
