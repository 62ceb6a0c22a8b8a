"""Cold starts, apart from the rest: the first offer after idleness, and a burst after it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from harness.load.arrivals.arriving import Arriving, Tally

COLD_TIMES, COLD_MS = 3.0, 200.0  # slower than a warm one by this, the first was cold
WARM_OFFERS = 5


@dataclass(frozen=True)
class ColdStart:
    """ms; None where there was no answer. `burst`: the slowest of `size` offers at one moment."""

    idle: float
    first: float | None
    warm: float | None
    burst: float | None
    burst_failed: int
    size: int
    failure: str = ""

    def __str__(self) -> str:
        """What is worth a sentence; empty where nothing is."""
        if self.failure:
            return f"the first offer after {self.idle:.0f} s without any failed with {self.failure}"
        said = []
        if self.first and self.warm and self.first > max(COLD_MS, COLD_TIMES * self.warm):
            said.append(
                f"cold start: the first offer took {self.first / 1000:.2f} s, a warm one {self.warm:.0f} ms"
            )
        if self.burst_failed:
            said.append(f"of a burst of {self.size} after idleness {self.burst_failed} failed")
        return "; ".join(said)

    def as_json(self) -> dict[str, Any]:
        """For capacity.json."""
        return {
            "idle_s": self.idle,
            "first_ms": self.first,
            "warm_ms": self.warm,
            "burst": {"offers": self.size, "slowest_ms": self.burst, "failed": self.burst_failed},
            "failure": self.failure,
        }


async def start_cold(arriving: Arriving, idle: float, size: int) -> ColdStart:
    """Wait, offer once, offer a few times, wait again, and let a burst in."""
    await asyncio.sleep(idle)
    first = await arriving.offer([0.0], 0.0)
    failure = next((failure for _, failure in first.failures), "")
    if failure:
        return ColdStart(idle, None, None, None, 0, size, failure)
    warm = await arriving.offer([0.1 * n for n in range(WARM_OFFERS)], 0.0)
    await asyncio.sleep(idle)
    burst = await arriving.offer([0.0] * size, 0.0)
    return ColdStart(idle, _slowest(first), _median(warm), _slowest(burst), burst.failures.total(), size)


def _slowest(tally: Tally) -> float | None:
    return round(1000 * max(tally.seconds), 1) if tally.seconds else None


def _median(tally: Tally) -> float | None:
    return round(1000 * sorted(tally.seconds)[len(tally.seconds) // 2], 1) if tally.seconds else None
