"""The page of a run, made when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.report.comparison import Comparison
from harness.report.history import PastRun
from harness.report.html.page import write_html
from harness.run.stream import Happening, RunEnded
from harness.speech.library import load_library

Compared = Callable[[], tuple[Sequence[PastRun], Comparison | None]]


@dataclass
class ReportPage:
    """Observes a run. `compared` is asked at its end: runs like it, and what changed since the baseline."""

    reports: Path
    compared: Compared = lambda: ((), None)
    written: str = ""

    def __call__(self, happening: Happening) -> None:
        """Nothing before the end. Raises UsageError where the page cannot be written."""
        if isinstance(happening, RunEnded):
            past, comparison = self.compared()
            page = write_html(happening.run, self.reports, load_library(), past=past, comparison=comparison)
            self.written = str(page)
