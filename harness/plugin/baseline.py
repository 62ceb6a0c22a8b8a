"""The baseline that a run is compared with, and the history that it is added to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.run import RunSettings
from harness.core.errors import UsageError
from harness.report.comparison import Comparison, check_comparable, compare
from harness.report.history import History, PastRun
from harness.report.saved import RESULTS, SavedRun, SavedTarget, read_run
from harness.run.engine import conditions
from harness.run.stream import Happening, RunEnded
from harness.speech.library import load_library


@dataclass
class Baseline:
    """Made before the first call, so that a baseline that cannot be used costs none."""

    saved: SavedRun | None
    history: History | None
    fails: bool
    reports: Path  # where the run's own results are
    comparison: Comparison | None = None
    past: Sequence[PastRun] = ()  # of the history, this one among them

    @classmethod
    def from_options(cls, values: Mapping[str, Any], settings: RunSettings) -> Baseline:
        """Raises UsageError for a baseline or a history that cannot be used."""
        if values["fail_on_regression"] and values["baseline"] is None:
            raise UsageError("--fail-on-regression has nothing to compare with", "give --baseline FILE")
        saved = read_run(values["baseline"]) if values["baseline"] is not None else None
        if saved is not None:
            url = settings.target.shown_url if settings.target else ""
            now = SavedTarget(url=url, dialect=settings.dialect, mode=settings.mode)
            check_comparable(saved, now, conditions(settings, load_library()))
        history = History(values["history"]) if values["history"] is not None else None
        if history is not None:
            history.check()
        return cls(saved, history, values["fail_on_regression"], settings.reports)

    def __call__(self, happening: Happening) -> None:
        """Observe a run: one that was made to its end is compared, once its files are written."""
        if (
            isinstance(happening, RunEnded)
            and not happening.run.interrupted
            and not happening.run.unreachable
        ):
            self.compare(self.reports / RESULTS)

    def compare(self, results: Path) -> None:
        """Compare the run that was just written, and add it to the history."""
        run = read_run(results)
        if self.saved is not None:
            self.comparison = compare(self.saved, run)
        if self.history is not None:
            self.history.add(run)
            self.past = self.history.like(run)

    @property
    def failed(self) -> bool:
        """Whether the run is worse than its baseline and was asked to fail for that."""
        return self.fails and self.comparison is not None and bool(self.comparison.worse)
