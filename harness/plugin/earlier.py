"""Earlier runs: the baseline that a run is compared with, and the history that it is added to."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.config.run import RunSettings
from harness.core.errors import UsageError
from harness.report.comparison import Comparison, check_comparable, compare
from harness.report.history import History, PastRun
from harness.report.saved import SavedRun, SavedTarget, read_run
from harness.speech.library import load_library


@dataclass
class Earlier:
    """Made before the first call, so that a baseline that cannot be used costs none."""

    baseline: SavedRun | None
    history: History | None
    fails: bool
    comparison: Comparison | None = None
    past: Sequence[PastRun] = ()  # of the history, this one among them

    @classmethod
    def from_options(cls, option: Namespace, settings: RunSettings) -> Earlier:
        """Raises UsageError for a baseline or a history that cannot be used."""
        if option.fail_on_regression and option.baseline is None:
            raise UsageError("--fail-on-regression has nothing to compare with", "give --baseline FILE")
        baseline = read_run(option.baseline) if option.baseline is not None else None
        if baseline is not None:
            url = settings.target.shown_url if settings.target else ""
            now = SavedTarget(url=url, dialect=settings.dialect, mode=settings.mode)
            check_comparable(baseline, now, conditions(settings))
        history = History(option.history) if option.history is not None else None
        if history is not None:
            history.check()
        return cls(baseline, history, option.fail_on_regression)

    def settle(self, results: Path) -> None:
        """Compare the run that was just written, and add it to the history."""
        run = read_run(results)
        if self.baseline is not None:
            self.comparison = compare(self.baseline, run)
        if self.history is not None:
            self.history.add(run)
            self.past = self.history.like(run)

    @property
    def failed(self) -> bool:
        """Whether the run is worse than its baseline and was asked to fail for that."""
        return self.fails and self.comparison is not None and bool(self.comparison.worse)


def conditions(settings: RunSettings) -> Mapping[str, str]:
    """What another run must share, beside the target, for its figures to be comparable."""
    return {"fixtures": load_library().digest(), "impairment": settings.impairment or "none"}
