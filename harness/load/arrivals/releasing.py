"""Letting go of the calls that offers made: nobody talks in them, and each would wait upstream."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urljoin

import httpx

from harness.config.target import Target
from harness.config.targets_file import same_origin
from harness.load.arrivals.offers import PreparedOffer
from harness.load.arrivals.sending import Posting

EVERY_SECONDS = 0.5  # the fake is told of all calls since the last time at once
MOST_AT_ONCE = 64  # hang-ups under way: they must not crowd out the offers
FAKE_SECONDS = 10.0
NO_LOCATION = "their answers had no Location on the target to hang up at"


class Releasing:
    """Ends each accepted call at the relay, else by the fake's management.

    At the relay: `DELETE LOCATION` where it speaks WHIP, else `POST LOCATION/hangup`.

    `left`: why those that nobody could end were left, and how many. Use it in `running()`.
    """

    def __init__(self, target: Target, posting: Posting, fake: FakeManagement | None) -> None:
        self._target = target
        self._posting = posting
        self._fake = fake
        self._headers = dict(target.request_headers())
        self._is_whip = target.wrapping.sessions
        self._named: list[str] = []
        self._locations: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.released: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        self.accepted_count = 0

    def accepted(self, offer: PreparedOffer, location: str) -> None:
        """A call was made. A Location elsewhere is not followed: it would be given our credentials."""
        self.accepted_count += 1
        url = urljoin(self._target.url, location) if location else ""
        if url and same_origin(url, self._target.url):
            self._locations.put_nowait((offer.ufrag, url))
        else:
            self._otherwise(offer.ufrag, NO_LOCATION)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Calls are ended meanwhile, and when it is left, the rest."""
        tasks = [asyncio.create_task(self._hang_up_all()) for _ in range(MOST_AT_ONCE)]
        telling = asyncio.create_task(self._tell_every_so_often())
        try:
            yield
        finally:
            await self._locations.join()
            for task in (*tasks, telling):
                task.cancel()
            await asyncio.gather(*tasks, telling, return_exceptions=True)
            await self._tell()

    async def settled(self) -> None:
        """Return when every call so far was ended, or is known to be left."""
        await self._locations.join()
        await self._tell()

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {"released": dict(self.released), "left": dict(self.left)}

    def __str__(self) -> str:
        return "; ".join(f"{count} calls were not released: {why}" for why, count in self.left.most_common())

    async def _hang_up_all(self) -> None:
        while True:
            ufrag, url = await self._locations.get()
            try:
                method, url = ("DELETE", url) if self._is_whip else ("POST", f"{url}/hangup")
                reply = await self._posting.ask(method, url, b"", self._headers)
                if 200 <= reply.status < 300:
                    self.released["hung up at their Location"] += 1
                else:
                    why = reply.failure or f"status {reply.status}"
                    self._otherwise(ufrag, f"hanging up at their Location: {why}")
            finally:
                self._locations.task_done()

    def _otherwise(self, ufrag: str, why: str) -> None:
        if self._fake is None:
            self.left[why] += 1
        else:
            self._named.append(ufrag)

    async def _tell_every_so_often(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self._tell()

    async def _tell(self) -> None:
        named, self._named = self._named, []
        if not named or self._fake is None:
            return
        try:
            ended = await self._fake.end(named)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            self.left[f"the fake did not end them: {type(error).__name__}"] += len(named)
            return
        self.released["ended at the fake"] += ended
        if gone := len(named) - ended:
            self.released["over already, or never known to the fake"] += gone


class FakeManagement:
    """What arrivals ask of the fake's management at `base` (http://host:port)."""

    def __init__(self, client: httpx.AsyncClient, base: str) -> None:
        self._client = client
        self._base = base

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, base: str, token: str) -> AsyncIterator[FakeManagement]:
        """With a client of its own, until left."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(timeout=FAKE_SECONDS, headers=headers, trust_env=False) as client:
            yield cls(client, base)

    async def end(self, ufrags: list[str]) -> int:
        """How many live calls of these names were ended. Raises httpx.HTTPError, ValueError, KeyError."""
        answer = await self._client.post(f"{self._base}/_fake/end", json=ufrags)
        return int(answer.raise_for_status().json()["ended"])

    async def counted(self) -> tuple[int, int, int]:
        """(offers that came, names that they had, calls that live). Raises as `end` does."""
        health = (await self._client.get(f"{self._base}/_fake/health")).raise_for_status().json()
        return int(health["offers"]), int(health["distinct_ufrags"]), int(health["live"])

    async def memory(self) -> float | None:
        """Bytes that its processes take; None where it does not say."""
        try:
            health = (await self._client.get(f"{self._base}/_fake/health")).raise_for_status().json()
            return float(health["memory"])
        except (httpx.HTTPError, ValueError, KeyError):
            return None
