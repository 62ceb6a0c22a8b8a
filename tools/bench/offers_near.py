"""How many offers a second one core sends on time and looks at, where the relay only answers."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from typing import Any

import uvloop

from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.audio import percentile
from harness.core.clock import MonotonicClock, process_cpu_seconds
from harness.core.offer_shapes import CHROMIUM
from harness.load.arrivals.arriving import Arriving, calm_collector
from harness.load.arrivals.offers import PreparedOffers
from harness.load.arrivals.sending import open_posting
from tools.bench.machine import answer, questions

SETTLE = 1.0  # s


async def measure(url: str, rate: int, seconds: float) -> dict[str, Any]:
    """Send so many a second, evenly: what was answered, how late they left, and what each cost."""
    async with AsyncExitStack() as stack:
        target = Target(url, dialect="sdp")
        posting = await open_posting(stack, target, Timeouts(), keep_alive=True, http2=False)
        offers = PreparedOffers(CHROMIUM, random.Random(1))  # noqa: S311  (nobody's secrets)
        arriving = Arriving(target, posting, offers, MonotonicClock(), lambda _offer, _location: None)
        calm_collector()
        cpu = process_cpu_seconds()
        tally = await arriving.offer([n / rate for n in range(round(rate * (SETTLE + seconds)))], SETTLE)
        used = process_cpu_seconds() - cpu
    return {
        "due": tally.due,
        "answered": len(tally.seconds),
        "late_p99_ms": percentile(tally.late, 99) or 0.0,
        "cpu_ms_per_offer": 1000 * used / (rate * (SETTLE + seconds)),
    }


async def serve() -> None:
    """Answer `url`, `rate` and `seconds` with what was measured."""
    async for question in questions():
        answer(**await measure(question["url"], question["rate"], question["seconds"]))


if __name__ == "__main__":
    uvloop.run(serve())
