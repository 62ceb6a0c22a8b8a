"""What a run says in the terminal, beside pytest's own lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from harness.core.printable import printable
from harness.report.comparison import Comparison, as_lines
from harness.report.explain import by_urgency, heading, root_causes, summary
from harness.report.urgency import Urgency
from harness.requirements.model import Outcome
from harness.run.model import Run, RunVerdict

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


def _lines(reporter: pytest.TerminalReporter, text: str) -> None:
    """All that we print but headings of our own."""
    reporter.write_line(printable(text, lines=True))


def make_report_printable(report: pytest.TestReport) -> None:
    """What pytest prints of a test of ours, and writes to JUnit's and Allure's files."""
    match report.longrepr:
        case None:
            pass
        case (path, line, reason):
            report.longrepr = (path, line, printable(str(reason), lines=True))
        case found:
            text = str(found)
            safe = printable(text, lines=True)
            if safe != text or isinstance(found, str):
                report.longrepr = safe
    report.sections = [(name, printable(text, lines=True)) for name, text in report.sections]


def of_call(name: str, outcomes: Counter[Outcome]) -> str:
    """One line for a call: `✓ first_turn: 21 passed, 3 observed`; what does not apply is only counted.

    Without a name where the file has told it.
    """
    mark = "✗" if outcomes & Counter((Outcome.FAILED, Outcome.ERROR)) else "✓"
    counts = sorted(outcomes.items(), key=lambda each: list(Outcome).index(each[0]))
    named = f"{name}: " if name else ""
    return f"{mark} {named}{', '.join(f'{n} {outcome.value}' for outcome, n in counts)}"


def summarise(reporter: pytest.TerminalReporter, run: Run, written: str, *, seen: bool) -> None:
    """Root causes, the verdict, and where the report is. `seen`: with what was seen, told nowhere else."""
    causes = root_causes(run.verdicts)
    if causes:
        reporter.section("root causes")
        for urgency, found in by_urgency(causes):
            reporter.write_line(heading(urgency, len(found)), bold=True, **COLOURS[urgency])
            for each in found:
                _lines(reporter, summary(each, seen=seen))
    conforming = run.verdict == RunVerdict.CONFORMING
    reporter.section(f"the target is {run.verdict.value}", green=conforming, red=not conforming)
    for line in run.unexplained:
        reporter.line(line)
    counts = Counter(verdict.outcome.value for verdict in run.verdicts)
    _lines(reporter, ", ".join(f"{n} {outcome}" for outcome, n in counts.most_common()))
    for name, m in run.measurements().items():
        if m.p50 is not None:
            _lines(reporter, f"  {name}: median {m.p50:g} {m.unit}, worst {m.max:g} {m.unit} ({m.count})")
    _lines(reporter, f"seed {run.seed}; report in {written}")


def commands(reporter: pytest.TerminalReporter, lines: Iterable[str]) -> None:
    """Lines that a CI service reads, each at the beginning of one."""
    for line in lines:
        _lines(reporter, line)


def compared(reporter: pytest.TerminalReporter, comparison: Comparison | None) -> None:
    """What changed since the baseline, where there is one."""
    if comparison is None:
        return
    reporter.section("compared with the baseline", red=bool(comparison.worse), green=not comparison.worse)
    for line in as_lines(comparison):
        _lines(reporter, line)
