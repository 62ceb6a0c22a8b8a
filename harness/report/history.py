"""The history of nightly runs, in SQLite: what a trend is drawn from."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.core.errors import UsageError
from harness.report.saved import SavedRun

SCHEMA = 1
BUSY_SECONDS = 10.0

TABLES = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    started_at TEXT NOT NULL,
    target TEXT NOT NULL,
    mode TEXT NOT NULL,
    dialect TEXT NOT NULL,
    conditions TEXT NOT NULL,
    harness TEXT NOT NULL,
    seed INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    UNIQUE (started_at, target, seed)
);
CREATE TABLE verdict (
    run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    scenario TEXT NOT NULL,
    requirement TEXT NOT NULL,
    outcome TEXT NOT NULL,
    cause TEXT
);
CREATE TABLE measurement (
    run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    count INTEGER NOT NULL,
    p50 REAL,
    p95 REAL,
    max REAL
);
CREATE INDEX verdict_run ON verdict (run);
CREATE INDEX measurement_run ON measurement (run, name);
"""


@dataclass(frozen=True)
class PastRun:
    """One run of the history: when, its word, failed requirements, and medians by measurement.

    `flaky`: requirements that failed on some of a scenario's calls, and not on all.
    """

    started_at: str
    verdict: str
    failed: int
    medians: dict[str, tuple[str, float]]
    flaky: int = 0


class History:
    """A file of past runs. Every method raises UsageError naming the file that cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self) -> None:
        """Open it, and make it where it is not there."""
        with self._open():
            pass

    def add(self, run: SavedRun) -> None:
        """Add one run; one that is there already is replaced, so a repeated upload changes nothing."""
        with self._open() as db:
            db.execute(
                "DELETE FROM run WHERE started_at = ? AND target = ? AND seed = ?",
                (run.started_at, _target(run), run.seed),
            )
            row = db.execute(
                "INSERT INTO run (started_at, target, mode, dialect, conditions, harness, seed, verdict)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (run.started_at, *_key(run), run.harness.version, run.seed, run.verdict),
            ).lastrowid
            db.executemany(
                "INSERT INTO verdict VALUES (?, ?, ?, ?, ?)",
                [(row, v.scenario, v.id, v.outcome, v.cause) for v in run.requirements],
            )
            db.executemany(
                "INSERT INTO measurement VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(row, name, m.unit, m.count, m.p50, m.p95, m.max) for name, m in run.measurements.items()],
            )

    def like(self, run: SavedRun, last: int = 60) -> list[PastRun]:
        """The last runs of the same target under the same conditions, oldest first."""
        with self._open() as db:
            rows = db.execute(
                "SELECT id, started_at, verdict FROM run"
                " WHERE target = ? AND mode = ? AND dialect = ? AND conditions = ?"
                " ORDER BY started_at DESC LIMIT ?",
                (*_key(run), last),
            ).fetchall()
            return [self._past(db, *row) for row in reversed(rows)]

    def _past(self, db: sqlite3.Connection, row: int, started_at: str, verdict: str) -> PastRun:
        (failed,) = db.execute(
            "SELECT COUNT(DISTINCT scenario || '/' || requirement) FROM verdict"
            " WHERE run = ? AND outcome = 'failed'",
            (row,),
        ).fetchone()
        medians = db.execute(
            "SELECT name, unit, p50 FROM measurement WHERE run = ? AND p50 IS NOT NULL", (row,)
        ).fetchall()
        (flaky,) = db.execute(
            "SELECT COUNT(*) FROM (SELECT 1 FROM verdict WHERE run = ?"
            " AND outcome IN ('passed', 'observed', 'warned', 'failed') GROUP BY scenario, requirement"
            " HAVING SUM(outcome = 'failed') BETWEEN 1 AND COUNT(*) - 1)",
            (row,),
        ).fetchone()
        found = {name: (unit, p50) for name, unit, p50 in medians}
        return PastRun(started_at, verdict, failed, found, flaky)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        remedy = "give another --history FILE, or move this one away"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS)) as db:
                (found,) = db.execute("PRAGMA user_version").fetchone()
                if found not in (0, SCHEMA):
                    raise UsageError(
                        f"the history {self.path} has schema {found}, and this harness writes {SCHEMA}",
                        remedy,
                    )
                db.execute("PRAGMA foreign_keys = ON")
                with db:
                    if found == 0:
                        db.executescript(f"{TABLES}PRAGMA user_version = {SCHEMA};")
                    yield db
        except (sqlite3.Error, OSError) as error:
            raise UsageError(f"the history {self.path} cannot be used: {error}", remedy) from error


def _key(run: SavedRun) -> tuple[str, str, str, str]:
    conditions = msgspec.json.encode(run.conditions, order="sorted").decode()
    return _target(run), run.target.mode, run.target.dialect, conditions


def _target(run: SavedRun) -> str:
    return "embedded" if run.target.mode == "embedded" else run.target.url
