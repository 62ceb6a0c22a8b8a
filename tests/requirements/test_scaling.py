"""No check takes more than about n log n of what a target sends.

HARNESS_SCALE=100000 asks with so much of it.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator

import pytest

from harness.core.events import Event
from harness.requirements import REGISTRY
from harness.requirements.judging import CallJudge
from tests.requirements.bulk import BULKS
from tests.support.timelines import timeline_of

MOST = int(os.environ.get("HARNESS_SCALE", "5000"))
LEAST = MOST // 10
# Ten times as much is eleven to thirteen times the work at n log n, and a hundred times at n squared.
RATIO = 40.0
NOISE = 0.02  # s of CPU: less says nothing
JUDGED = [r for r in REGISTRY if r.over == "call"]


@pytest.fixture(autouse=True)
def without_collections() -> Iterator[None]:
    """A collection looks at all that lives, and is nobody's check."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def seconds(events: list[Event]) -> dict[str, float]:
    """CPU time of each check; what two share is with the first that asks for it."""
    judge = CallJudge(timeline_of(events))
    found = {}
    for requirement in JUDGED:
        began = time.process_time()
        judge.verdict(requirement)
        found[requirement.id] = time.process_time() - began
    return found


def fastest(events: list[Event]) -> dict[str, float]:
    """Of three times: a busy machine adds to what a check takes, and takes nothing away."""
    taken = [seconds(events) for _ in range(3)]
    return {name: min(each[name] for each in taken) for name in taken[0]}


@pytest.mark.parametrize("kind", BULKS)
def test_ten_times_as_much_is_not_much_more_than_ten_times_the_work(kind: str) -> None:
    few, many = fastest(BULKS[kind](LEAST)), seconds(BULKS[kind](MOST))

    def slow(taken: dict[str, float]) -> dict[str, tuple[float, float]]:
        limits = {name: max(RATIO * max(few[name], NOISE / 10), 5 * NOISE) for name in taken}
        return {name: (few[name], t) for name, t in taken.items() if t > limits[name]}

    assert not slow(many) or slow(fastest(BULKS[kind](MOST))) == {}


def test_what_is_quadratic_is_seen() -> None:
    """The measure itself: each of n events is held against all others."""
    events = BULKS["errors"]

    def work(n: int) -> float:
        ats = [e.at for e in events(n)]
        began = time.process_time()
        sum(a < b for a in ats for b in ats)
        return time.process_time() - began

    assert work(3000) > RATIO * max(work(300), NOISE / 10)
