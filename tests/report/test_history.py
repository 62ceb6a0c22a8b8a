from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.report.history import History
from tests.report.saved_runs import saved_run


def night(number: int, **changes: object) -> object:
    return saved_run(
        started_at=f"2026-01-{number:02d}T02:00:00Z",
        samples={"answer": [100.0 + number] * 3},
        **changes,  # type: ignore[arg-type]  # passed on
    )


def test_the_history_of_a_target_is_in_order_and_of_that_target_alone(tmp_path: Path) -> None:
    history = History(tmp_path / "reports" / "history.sqlite")
    for number in (2, 1, 3):
        history.add(night(number))  # type: ignore[arg-type]  # made above
    history.add(night(4, url="https://other.example/"))  # type: ignore[arg-type]  # made above
    history.add(night(5, conditions={"fixtures": "abc", "impairment": "3g"}))  # type: ignore[arg-type]  # made above
    past = history.like(saved_run())
    assert [run.medians["answer"] for run in past] == [("ms", 101.0), ("ms", 102.0), ("ms", 103.0)]
    assert [run.started_at for run in history.like(saved_run(), last=2)] == [r.started_at for r in past[1:]]


def test_the_same_run_twice_is_one_run(tmp_path: Path) -> None:
    history = History(tmp_path / "h.sqlite")
    for cause in ("x", "y"):
        history.add(saved_run(outcomes={"a.b": ("failed", cause)}, verdict="violating"))
    (only,) = history.like(saved_run())
    assert (only.verdict, only.failed) == ("violating", 1)


def test_a_file_that_is_no_history_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("nothing of the kind, " * 100)
    with pytest.raises(UsageError, match=r"notes\.txt cannot be used"):
        History(path).check()


def test_a_history_of_another_schema_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(UsageError, match="has schema 9"):
        History(path).check()
