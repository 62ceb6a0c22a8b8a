"""What load, soak and capacity say of made-up targets of which the truth is known."""

from __future__ import annotations

import random

from harness.load.analysis.drift import OF_GENERATOR
from harness.load.analysis.search import Search
from harness.load.analysis.slo import Window, read_slos
from harness.load.analysis.trend import trend
from tools.attack.kinds import expect, kind

_, MEMORY = OF_GENERATOR["memory"]


@kind("load: searches")
def searches(rng: random.Random) -> int:
    """The edge of a target that carries so many calls, from any start."""
    edge, most = rng.randrange(0, 300), 300
    start, step = rng.randrange(1, most + 1), rng.choice((1, 5, 10, 50))
    search = Search(start, step, most)
    for _ in range(400):
        if search.done:
            break
        expect(1 <= search.level <= most, f"level {search.level}")
        search.learned(held=search.level <= edge)
    expect(search.done, f"no end: start {start}, step {step}, edge {edge}")
    expect(search.holds == min(edge, most), f"holds {search.holds}, truth {edge}, start {start}, step {step}")
    return 1


@kind("load: drift of made-up series")
def drifts(rng: random.Random) -> int:
    """Series that warm up, wander and are noisy do not leak; those that leak do."""
    minutes, wanted = rng.choice((30, 60)), 60
    step = minutes * 60 / wanted
    leak = rng.choice((0.0, 0.0, 60 / minutes))  # MiB a minute
    warm, tau = rng.uniform(0, 60), rng.uniform(20, 170)
    level, points = 0.0, []
    for n in range(wanted):
        at = (n + 1) * step
        level = 0.9 * level + rng.gauss(0, 0.5)  # autocorrelated
        value = 150 + warm * (1 - 2.718 ** (-at / tau)) + level + leak * at / 60
        points.append((at, value))
    found = trend(points, MEMORY)
    if leak:
        expect(found.rises is True, f"a leak of {leak * minutes:.0f} MiB was not seen: {found}")
    else:
        expect(found.rises is not True, f"no leak was called one: {found}")
    return 1


@kind("load: objectives over nothing")
def nothing(rng: random.Random) -> int:
    """An objective of which nothing was measured is not kept."""
    for slo in read_slos(()):
        empty = Window({}, rng.choice((0, 0, 5)) if slo.row != "failures" else 0, 0)
        expect(slo.kept(empty) is not True, f"{slo.text}: kept, and nothing was measured")
    return 1
