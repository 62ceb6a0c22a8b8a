"""When offers are due. It is laid down before the first is sent, so that a slow answer puts off no other."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Final

POISSON: Final = "poisson"
CONSTANT: Final = "constant"
BURSTS: Final = "bursts"
SPACINGS = (POISSON, CONSTANT, BURSTS)


def arrivals(
    spacing: str, rate: float, seconds: float, rng: random.Random, *, size: int = 50, ramp: float = 0.0
) -> Iterator[float]:
    """Seconds from the beginning at which an offer is due, in order, up to `seconds`; `rate` is per second.

    `poisson`: callers who know nothing of each other. `constant`: evenly. `bursts`: `size` at one moment, as
    often as makes the rate, at random (a newsletter at nine o'clock). During the first `ramp` seconds the
    rate rises evenly from nothing: it reaches half of what it would be.
    """
    step = {POISSON: _poisson, CONSTANT: _evenly, BURSTS: _poisson}[spacing](rng)
    many = size if spacing == BURSTS else 1
    done = 0.0  # offers due so far, were there no chance
    while True:
        done += many * step()
        at = _reached(done, rate, ramp)
        if at >= seconds:
            return
        for _ in range(many):
            yield at


def _poisson(rng: random.Random) -> Callable[[], float]:
    return lambda: rng.expovariate(1.0)


def _evenly(_rng: random.Random) -> Callable[[], float]:
    return lambda: 1.0


def _reached(count: float, rate: float, ramp: float) -> float:
    """When so many are due: the rate's integral is rate·t²/(2·ramp) during the ramp, a line after it."""
    of_ramp = rate * ramp / 2
    if count < of_ramp:
        return float((2 * ramp * count / rate) ** 0.5)
    return ramp + (count - of_ramp) / rate
