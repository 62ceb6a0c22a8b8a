"""Load, soak and capacity say what was measured, and nothing of what was not."""

from __future__ import annotations

import math
import random

from harness.load.analysis.drift import OF_GENERATOR
from harness.load.analysis.health import Health
from harness.load.analysis.recorder import Recorder
from harness.load.analysis.rows import CALL
from harness.load.analysis.search import Search
from harness.load.analysis.slo import Window, read_slos
from harness.load.analysis.steps import LoadStep
from harness.load.analysis.trend import trend
from harness.report.html.load import _generator

_, MEMORY = OF_GENERATOR["memory"]


def step(window: Window) -> LoadStep:
    return LoadStep(10, 5.0, window, Health(), read_slos(["first audio p95 < 3s", "failures < 1%"]))


def test_a_step_in_which_nothing_ended_is_neither_held_nor_broken() -> None:
    assert step(Window({}, 0, 0)).outcome == "inconclusive"
    assert step(Window({}, 0, 0)).because() == "no call came to its end in 5 s"
    assert step(Window({}, 3, 0)).because() == "nothing was measured of first audio p95"
    assert step(Window({"first audio": [800.0]}, 3, 0)).outcome == "held"
    assert step(Window({}, 3, 2)).outcome == "broken"


def test_a_start_that_is_too_high_for_this_machine_is_searched_below() -> None:
    search, asked = Search(150, 10, 200), []
    while not search.done:
        asked.append(search.level)
        if search.level > 40:
            search.too_many_for_us()
        else:
            search.learned(held=True)
    assert asked[:3] == [150, 75, 37]
    assert search.holds >= 30
    assert search.breaks is None


def test_what_breaks_below_our_own_limit_is_the_targets() -> None:
    search = Search(150, 10, 200)
    while not search.done:
        if search.level > 100:
            search.too_many_for_us()
        else:
            search.learned(held=search.level <= 20)
    assert (search.holds, search.breaks) == (20, 21)


def test_each_row_is_counted_in_one_stretch() -> None:
    recorder = Recorder()
    for n in range(100):
        recorder.hear(CALL, 1.0, None, {"at": n / 10})
    windows = recorder.windows([0.0, 2.5, 5.0, math.inf])
    assert [w.calls for w in windows] == [25, 25, 50]


def series(
    minutes: int, *, warm: float = 0.0, tau: float = 100.0, leak: float = 0.0, seed: int = 1
) -> list[tuple[float, float]]:
    """Sixty samples of memory in MiB, each like the one before it; `leak`: MiB a minute."""
    rng, level, points = random.Random(seed), 0.0, []
    for n in range(1, 61):
        at = n * minutes
        level = 0.9 * level + rng.gauss(0, 0.5)
        points.append((float(at), 150 + warm * (1 - math.exp(-at / tau)) + level + leak * at / 60))
    return points


def test_a_leak_is_found_and_a_warm_up_is_none() -> None:
    for seed in range(20):
        assert trend(series(60, leak=1.0, warm=40, seed=seed), MEMORY).rises is True
        assert trend(series(60, warm=60, tau=170, seed=seed), MEMORY).rises is False
        assert trend(series(10, warm=60, tau=170, seed=seed), MEMORY).rises is not True
        assert trend(series(60, seed=seed), MEMORY).rises is False


def test_too_short_a_soak_says_nothing_of_memory() -> None:
    assert trend(series(3, warm=60, tau=170), MEMORY).rises is None


def test_a_run_that_was_cut_short_before_anything_was_measured_has_a_page() -> None:
    assert list(_generator([])) == []
