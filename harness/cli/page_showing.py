"""How `harness page --probe` shows its calls: one line for each, then what is wrong; or one JSON document."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from harness.cli.screen import say
from harness.cli.showing import STYLES, ShowJson, ShowLines, headline
from harness.report.explain import by_urgency, heading, root_causes
from harness.report.files import as_results
from harness.requirements.model import Outcome, Verdict
from harness.run.model import CallEntry, Run
from harness.run.stream import CallFinished, Happening, Noted, RunStarted

NAME_WIDTH = 20
# The first of these that a call has is its mark.
MARKS = (
    (Outcome.FAILED, "✗"),
    (Outcome.ERROR, "?"),
    (Outcome.INCONCLUSIVE, "?"),
    (Outcome.WARNED, "!"),
    (Outcome.PASSED, "✓"),
    (Outcome.NOT_APPLICABLE, "·"),
)


class ShowProbes(ShowLines):
    """How many calls are over; at the end a line for each, and each finding once."""

    def __init__(self, out: Console | None = None) -> None:
        super().__init__(out)
        self._calls = self._over = 0

    def observe(self, happening: Happening) -> None:
        """Tell of each call when it is over."""
        match happening:
            case RunStarted(calls=calls, seconds=seconds):
                self._calls = calls
                self.out.print(f"making {calls} calls, some {seconds:.0f} s", style="dim")
            case CallFinished(record):
                self._over += 1
                name = _name(record.scenario.name)
                self.out.print(f"  {name} is over ({self._over} of {self._calls})", style="dim")
            case Noted(text):
                self.out.print(text)

    def total(self, run: Run, report: str) -> None:
        """Tell what each call showed, what is wrong, how to fix it, and the verdict."""
        for call in run.calls:
            self.out.print(_line(call, run.verdicts_of(call.id)))
        for urgency, found in by_urgency(root_causes(run.verdicts)):
            self.out.print()
            self.out.print(Text(heading(urgency, len(found)), "bold"))
            for each in found:
                self._show_finding(each)
        self.out.print()
        self.out.print(Text(headline(run), STYLES[run.verdict]))
        self.out.print(f"report in {report}; seed {run.seed}", style="dim")


def _name(scenario: str) -> str:
    return scenario.removeprefix("page_").replace("_", "-")


def _line(call: CallEntry, verdicts: Sequence[Verdict]) -> str:
    """`✗ left  page.leaving-releases: call-goes-on-behind`; of an undecided call, why it is."""
    outcome, mark = next((each for each in MARKS if any(v.outcome == each[0] for v in verdicts)), MARKS[-1])
    told = [v for v in verdicts if v.outcome == outcome]
    seen = ""
    if outcome in (Outcome.FAILED, Outcome.WARNED):
        seen = "; ".join(f"{v.id}: {v.cause}" for v in told)
    elif outcome != Outcome.PASSED and told:
        seen = told[0].explanation
    return f"{mark} {_name(call.scenario):<{NAME_WIDTH}} {seen}".rstrip()


class ShowProbesJson(ShowJson):
    """Nothing until the end, then results.json."""

    def total(self, run: Run, report: str) -> None:
        """Print the document."""
        say(json.dumps(as_results(run) | {"report": report}, indent=1, ensure_ascii=False))
