"""How `harness page --probe` shows its calls: one line for each, then what is wrong; or one JSON document."""

from __future__ import annotations

import json

from rich.text import Text

from harness.cli.screen import say
from harness.cli.showing import STYLES, ShowJson, ShowLines, headline
from harness.report.explain import by_urgency, heading, root_causes
from harness.report.files import as_results
from harness.run.model import Run
from harness.run.stream import CallFinished, Happening, Noted

NAME_WIDTH = 20


class ShowProbes(ShowLines):
    """A line for each call when it ends, and each finding once."""

    def observe(self, happening: Happening) -> None:
        """Tell each call when it is over, with what was found in it."""
        match happening:
            case CallFinished(record, failed):
                name = record.scenario.name.removeprefix("page_").replace("_", "-")
                told = "; ".join(failed)
                self.out.print(f"{'✗' if failed else '✓'} {name:<{NAME_WIDTH}} {told}".rstrip())
            case Noted(text):
                self.out.print(text)

    def total(self, run: Run, report: str) -> None:
        """Tell what is wrong, how to fix it, and the verdict."""
        for urgency, found in by_urgency(root_causes(run.verdicts)):
            self.out.print()
            self.out.print(Text(heading(urgency, len(found)), "bold"))
            for each in found:
                self._show_finding(each)
        self.out.print()
        self.out.print(Text(headline(run), STYLES[run.verdict]))
        self.out.print(f"report in {report}; seed {run.seed}", style="dim")


class ShowProbesJson(ShowJson):
    """Nothing until the end, then results.json."""

    def total(self, run: Run, report: str) -> None:
        """Print the document."""
        say(json.dumps(as_results(run) | {"report": report}, indent=1, ensure_ascii=False))
