"""What a run says in the terminal, beside pytest's own lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from harness.report.comparison import Comparison, as_lines
from harness.report.explain import by_urgency, heading, root_causes, summary
from harness.report.run import Run, RunVerdict
from harness.report.urgency import Urgency
from harness.requirements.model import Outcome

Progress = Callable[[str], None]

WORDS: dict[Outcome, tuple[str, str, tuple[str, dict[str, bool]]]] = {
    Outcome.WARNED: ("warned", "w", ("WARNED", {"yellow": True})),
    Outcome.OBSERVED: ("observed", "o", ("OBSERVED", {"green": True})),
    Outcome.BLOCKED: ("blocked", "b", ("BLOCKED", {"yellow": True})),
    Outcome.NOT_APPLICABLE: ("not applicable", "-", ("NOT APPLICABLE", {})),
    Outcome.INCONCLUSIVE: ("inconclusive", "?", ("INCONCLUSIVE", {"yellow": True})),
}


COLOURS: dict[Urgency, dict[str, bool]] = {
    Urgency.OURS: {"red": True},
    Urgency.HURT: {"red": True},
    Urgency.LOSS: {"red": True},
    Urgency.HARDEN: {"yellow": True},
    Urgency.UNTOLD: {"yellow": True},
}


def status_of(outcome: str) -> tuple[str, str, Any] | None:
    """Category, letter and word of an outcome that pytest has no word for."""
    return WORDS.get(Outcome(outcome))


def progress(config: pytest.Config) -> Progress:
    """Lines about the calls while they are made."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")

    def say(line: str) -> None:
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(line)

    return say


def summarise(reporter: pytest.TerminalReporter, run: Run, written: str) -> None:
    """Root causes, the verdict, and where the report is, with the evidence beside it."""
    causes = root_causes(run.verdicts)
    if causes:
        reporter.section("root causes")
        for urgency, found in by_urgency(causes):
            reporter.write_line(heading(urgency, len(found)), bold=True, **COLOURS[urgency])
            for each in found:
                reporter.write_line(summary(each))
    conforming = run.verdict == RunVerdict.CONFORMING
    reporter.section(f"the target is {run.verdict.value}", green=conforming, red=not conforming)
    counts = Counter(verdict.outcome.value for verdict in run.verdicts)
    reporter.write_line(", ".join(f"{n} {outcome}" for outcome, n in counts.most_common()))
    for name, m in run.measurements().items():
        if m.p50 is not None:
            reporter.write_line(f"  {name}: median {m.p50:g} {m.unit}, worst {m.max:g} {m.unit} ({m.count})")
    reporter.write_line(f"seed {run.seed}; report in {written}")


def compared(reporter: pytest.TerminalReporter, comparison: Comparison | None) -> None:
    """What changed since the baseline, where there is one."""
    if comparison is None:
        return
    reporter.section("compared with the baseline", red=bool(comparison.worse), green=not comparison.worse)
    for line in as_lines(comparison):
        reporter.write_line(line)
