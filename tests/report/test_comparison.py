from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from harness.core.errors import UsageError
from harness.report.comparison import as_lines, compare
from harness.run.measurements import OWN_LATENESS
from tests.report.saved_runs import saved_run


def latencies(median: float, count: int, seed: int) -> list[float]:
    chance = random.Random(seed)
    return [chance.gauss(median, 40) for _ in range(count)]


def test_a_clearly_slower_stage_is_worse() -> None:
    before = saved_run(samples={"first-audio": latencies(800, 20, 1), "answer": latencies(300, 20, 2)})
    after = saved_run(samples={"first-audio": latencies(1100, 20, 3), "answer": latencies(300, 20, 4)})
    comparison = compare(before, after)
    assert [str(c).partition(":")[0] for c in comparison.worse] == ["first-audio"]
    assert comparison.better == ()
    assert [str(c).partition(":")[0] for c in compare(after, before).better] == ["first-audio"]


def test_two_runs_of_the_same_relay_are_rarely_called_worse() -> None:
    """Holm's correction keeps the whole comparison's false alarms at or under one in twenty."""
    names = [f"stage-{n}" for n in range(10)]

    def run(seed: int) -> dict[str, list[float]]:
        return {name: latencies(500, 12, 1000 * seed + n) for n, name in enumerate(names)}

    alarms = sum(
        bool(compare(saved_run(samples=run(2 * n)), saved_run(samples=run(2 * n + 1))).worse)
        for n in range(100)
    )
    assert alarms <= 5


def test_a_change_too_small_to_matter_is_no_news_however_certain() -> None:
    before = saved_run(samples={"answer": [100 + n / 100 for n in range(60)]})
    after = saved_run(samples={"answer": [105 + n / 100 for n in range(60)]})
    assert compare(before, after).worse == ()


def test_too_few_samples_are_said_and_not_judged() -> None:
    comparison = compare(saved_run(samples={"ice": [10, 11]}), saved_run(samples={"ice": [900, 901]}))
    assert comparison.worse == ()
    assert comparison.too_few == ("ice (2 and 2)",)
    assert any("too few samples to tell: ice" in line for line in as_lines(comparison))


def test_a_requirement_that_fails_now_is_worse_and_one_that_passes_again_is_better() -> None:
    before = saved_run(
        outcomes={"a.one": ("passed", None), "a.two": ("failed", "x"), "a.three": ("passed", None)}
    )
    after = saved_run(
        outcomes={"a.one": ("failed", "y"), "a.two": ("passed", None), "a.three": ("warned", "z")}
    )
    comparison = compare(before, after)
    assert [str(c) for c in comparison.worse] == [
        "a.one in first_turn: passed, now failed (y)",
        "a.three in first_turn: passed, now warned (z)",
    ]
    assert [str(c) for c in comparison.better] == ["a.two in first_turn: failed (x), now passed"]


@pytest.mark.parametrize("lost", ["blocked", "inconclusive", "not-applicable", "error"])
def test_what_could_not_be_judged_is_neither_worse_nor_better(lost: str) -> None:
    comparison = compare(
        saved_run(outcomes={"a.one": ("passed", None)}), saved_run(outcomes={"a.one": (lost, None)})
    )
    assert comparison.worse == comparison.better == ()


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (saved_run(url="https://production.example/session"), "target"),
        (saved_run(mode="grey-box"), "mode"),
        (saved_run(conditions={"fixtures": "def"}), "fixtures"),
        (saved_run(conditions={"fixtures": "abc", "impairment": "3g"}), "impairment"),
    ],
)
def test_runs_made_otherwise_are_refused_with_the_difference(other: object, named: str) -> None:
    with pytest.raises(UsageError, match=f"cannot be compared: the {named} was"):
        compare(saved_run(), other)  # type: ignore[arg-type]  # parametrised


def test_embedded_runs_compare_whatever_port_they_took() -> None:
    a, b = (saved_run(mode="embedded", url=f"http://127.0.0.1:{port}/s") for port in (1, 2))
    assert compare(a, b).worse == ()


def test_our_own_lateness_is_a_doubt_and_no_regression() -> None:
    before = saved_run(samples={OWN_LATENESS: [1.0] * 30})
    after = saved_run(samples={OWN_LATENESS: [45.0] * 30})
    comparison = compare(before, after)
    assert comparison.worse == ()
    assert any("what is slower may be this machine" in note for note in comparison.notes)


def test_the_test_and_its_assumption_are_stated() -> None:
    lines = as_lines(compare(saved_run(), saved_run()))
    assert lines[0] == "nothing changed beyond noise"
    assert "Mann-Whitney" in lines[-1]
    assert "assumes" in lines[-1]


def test_a_run_whose_samples_are_gone_is_refused() -> None:
    with pytest.raises(UsageError, match=r"the earlier run has no samples\.json"):
        compare(replace(saved_run(), more=None), saved_run())
    with pytest.raises(UsageError, match=r"the later run has no samples\.json"):
        compare(saved_run(), replace(saved_run(), more=None))
