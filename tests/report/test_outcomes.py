"""What is judged now so, now so, is flaky: said, and no news by itself."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from harness.report.comparison import as_lines, compare
from harness.report.history import History
from harness.report.outcomes import outcomes
from harness.report.saved import SavedRun, SavedVerdict
from tests.report.saved_runs import saved_run


def a_run(*found: str, started_at: str = "2026-01-01") -> SavedRun:
    """One requirement on so many calls of one scenario."""
    verdicts = (
        SavedVerdict("a.one", "MUST", each, "why" if each == "failed" else None, "first") for each in found
    )
    return replace(saved_run(started_at=started_at), requirements=tuple(verdicts))


def words(before: SavedRun, after: SavedRun) -> list[str]:
    return [line for line in as_lines(compare(before, after)) if line.startswith(("worse", "better", "note"))]


def test_what_fails_on_some_calls_says_on_how_many() -> None:
    (found,) = outcomes(
        a_run("passed", "failed", "failed", "passed", "failed", "not-applicable").requirements
    ).values()
    assert (str(found), found.flaky) == ("failed (why) in 3 of 5 calls", True)
    (steady,) = outcomes(a_run("failed", "failed").requirements).values()
    assert not steady.flaky


def test_what_begins_to_fail_now_and_then_is_worse() -> None:
    said = words(a_run("passed"), a_run("passed", "failed", "passed"))
    assert said[0] == "worse   a.one in first: passed, now failed (why) in 1 of 3 calls"


def test_what_failed_now_and_then_and_still_does_is_no_news_but_a_note() -> None:
    for after in (a_run("failed", "passed"), a_run("failed")):
        said = words(a_run("passed", "failed"), after)
        assert not [line for line in said if line.startswith(("worse", "better"))]
        assert any(
            "flaky: a.one in first" in line and "before, failed (why) in 1 of 2 calls" in line
            for line in said
        )


def test_what_failed_now_and_then_and_passes_always_is_better() -> None:
    assert words(a_run("passed", "failed"), a_run("passed", "passed"))[0].startswith("better")


def test_the_history_counts_a_flaky_requirement_once(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    for day, found in enumerate((("passed", "failed", "failed"), ("failed", "failed"), ("passed",)), start=1):
        history.add(a_run(*found, started_at=f"2026-01-0{day}"))
    past = history.like(a_run())
    assert [(run.failed, run.flaky) for run in past] == [(1, 1), (1, 0), (0, 0)]
