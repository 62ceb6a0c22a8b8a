from __future__ import annotations

from dataclasses import replace

import pytest

from harness.load.analysis.reasons import MIB, SeenInStep, leak, reason_of

USUAL = SeenInStep(
    20, 20, 10, 200, work_ms=400, door_ms=3, statuses={201: 200}, cpu=0.1, rss=(100 * MIB,) * 9
)
BROKEN = replace(USUAL, offered=50, answered=25, offers=500)


@pytest.mark.parametrize(
    ("seen", "kind", "told"),
    [
        (replace(BROKEN, door_ms=900.0), "cpu", "(OPTIONS) took 900 ms, 3 ms before"),
        (replace(BROKEN, cpu=0.98), "cpu", "98 % of a core"),
        (BROKEN, "upstream", "about 10 offers at a time, 400 ms each"),
        (replace(BROKEN, statuses={201: 250, 504: 250}), "upstream", "250 times 502 or 504"),
        (
            replace(BROKEN, statuses={201: 250, 429: 250}, told_when={"5": 250}),
            "rate-limiter",
            "250 times 429 with Retry-After: 5, beyond about 25 offers a second",
        ),
        (replace(BROKEN, statuses={201: 250, 429: 250}), "rate-limiter", "429 without Retry-After"),
        (
            replace(BROKEN, statuses={201: 250, 503: 250}, told_when={"1": 250}),
            "rate-limiter",
            "503 with Retry-After: 1",
        ),
        (
            replace(BROKEN, rss=tuple((100 + 20 * n) * float(MIB) for n in range(9))),
            "memory",
            "grew from 100 to 260 MiB in 10 s, 328 KiB an offer",
        ),
        (replace(BROKEN, door_ms=None), "cpu", "had no answer"),
    ],
)
def test_each_limit_is_told_from_the_others(seen: SeenInStep, kind: str, told: str) -> None:
    reason = reason_of(seen, USUAL)
    assert (reason.kind, told in reason.text) == (kind, True), reason


def test_our_own_limit_comes_first_and_without_anything_to_go_by_nothing_is_claimed() -> None:
    assert reason_of(replace(BROKEN, cpu=1.0), USUAL, "it used 95 % of a core").kind == "generator"
    assert reason_of(replace(BROKEN, door_ms=None, cpu=None), None).kind == "unknown"


def test_memory_that_levels_off_is_no_leak() -> None:
    warming = tuple(float(MIB) * each for each in (100, 130, 150, 160, 165, 167, 168, 168, 168))
    assert leak(replace(BROKEN, rss=warming)) == ""
