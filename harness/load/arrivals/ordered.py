"""The process that sends a Locust process's offers: `python -m harness.load.arrivals.ordered`.

It reads its settings, then rates, and tells what came of the offers (`harness.load.messages`). It ends when
its input does, and lets go of every call before.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

from harness.config.asking import settings_of
from harness.config.option_texts import read_options
from harness.core.errors import UsageError
from harness.load.arrivals.arriving import Tally
from harness.load.arrivals.opening import OfferLoad
from harness.load.messages import LoadSettings, OffersMade, OffersOver, Rate, read_instruction
from harness.load.pipes import Send, serve_parent
from harness.load.terminal import Progress

TELL_SECONDS = 0.2
SOONEST = 0.0005  # s: what is due within it is sent at once


async def serve(reader: asyncio.StreamReader, send: Send) -> None:
    """Send offers as ordered until the input ends. Raises HarnessError where it cannot begin."""
    asked = read_instruction(await reader.readline())
    if not isinstance(asked, LoadSettings):
        raise UsageError("the first line must be the settings", "this process is started by harness.load")
    values = read_options("locust", asked.texts)
    settings = replace(settings_of("locust", values, target=asked.host or None), seed=asked.seed)
    async with AsyncExitStack() as stack:
        load = await OfferLoad.open(
            stack,
            settings,
            Progress(),
            keep_alive=not values["new_connections"],
            http2=values["http2"],
            share=asked.decode_share,
        )
        load.metering.on_measured = send
        await load.begin(stack)
        sending = await stack.enter_async_context(_Sending(load, send).telling())
        send(load.ready)
        while text := await reader.readline():
            instruction = read_instruction(text)
            if isinstance(instruction, Rate):
                await sending.go_on_at(instruction.per_second)


class _Sending:
    """Offers at random moments, at a rate that changes.

    Callers who know nothing of each other have no memory: a new rate may begin anew at any moment.
    """

    def __init__(self, load: OfferLoad, send: Send) -> None:
        self._load = load
        self._send = send
        self._tally = Tally()
        self._rng = random.Random()  # noqa: S311  (each worker of a run has the same seed)
        self._arriving: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def telling(self) -> AsyncIterator[_Sending]:
        """While entered, what came of the offers is told."""
        telling = asyncio.create_task(self._tell_every_so_often())
        try:
            yield self
        finally:
            await self._stop()
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def go_on_at(self, per_second: float) -> None:
        """From now on. With 0, return when all is over and told."""
        await self._stop()
        if per_second > 0:
            self._arriving = asyncio.create_task(self._arrive(per_second))
            return
        await self._load.arriving.answered()
        self._tell()
        await self._load.releasing.settled()
        self._send(OffersOver(left=dict(self._load.releasing.left)))

    async def _stop(self) -> None:
        arriving, self._arriving = self._arriving, None
        if arriving is not None:
            arriving.cancel()
            await asyncio.gather(arriving, return_exceptions=True)

    async def _arrive(self, per_second: float) -> None:
        clock = self._load.clock
        due = clock.now()
        while True:
            due += self._rng.expovariate(per_second)
            while (wait := due - clock.now()) > SOONEST:  # noqa: ASYNC110  (time is no event)
                await asyncio.sleep(wait)
            self._load.arriving.send_one(due, self._tally)
            await asyncio.sleep(0)

    async def _tell_every_so_often(self) -> None:
        while True:
            await asyncio.sleep(TELL_SECONDS)
            self._tell()

    def _tell(self) -> None:
        """And forget: whoever waits still adds to the same tally."""
        tally = self._tally
        failures = tally.findings + Counter({failure: n for (_, failure), n in tally.failures.items()})
        if tally.unsent:
            failures["the generator had no descriptor left (ulimit -n)"] = tally.unsent
        made = OffersMade(
            at=self._load.clock.now(),
            ms=tuple(1000 * seconds for seconds in tally.seconds),
            untimed=tally.untimed - tally.findings.total(),
            failures=failures,
        )
        for told in (tally.seconds, tally.at_work, tally.late, tally.failures, tally.findings):
            told.clear()
        tally.untimed = tally.unsent = 0
        if made.ms or made.untimed or made.failures:
            self._send(made)


def main() -> int:
    """Serve the process that started us."""
    return serve_parent(serve)


if __name__ == "__main__":
    sys.exit(main())
