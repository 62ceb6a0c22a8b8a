"""The harness's part in one pytest session: settings in, one run, and each test's verdict out of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from harness.call import Scenario
from harness.config.asking import settings_of
from harness.config.option_texts import Texts, in_words, read_options
from harness.config.run import RunSettings
from harness.core.errors import HarnessError, TargetUnreachableError
from harness.plugin import junit, terminal
from harness.plugin.baseline import Baseline
from harness.plugin.options import texts_of
from harness.plugin.progress import progress
from harness.report.ci import tell_ci
from harness.report.files import write_run
from harness.report.html import write_html
from harness.report.saved import RESULTS, judged_before
from harness.requirements.model import Requirement, Verdict
from harness.run.engine import Planned, execute
from harness.run.model import EXIT_CODES, CallEntry, Run, RunVerdict
from harness.run.repeated import together
from harness.run.selecting import leaves_in, selected_requirements
from harness.run.stream import Happening, Judged, Observer, RunEnded, all_of
from harness.speech.library import load_library

if TYPE_CHECKING:
    from harness.plugin.allure import AllureReport


@dataclass
class VoiceSession:
    """What the plugin knows from collection to report. The run is made once, before the first test."""

    settings: RunSettings
    values: Mapping[str, Any]
    baseline: Baseline
    allure: AllureReport | None
    repeat: tuple[str, ...] = ()
    asked_over_calls: dict[Requirement, list[Scenario]] = field(default_factory=dict)
    run: Run | None = None
    folded: bool = False  # one line for each call, and each finding once
    _written: str = ""
    _ci_lines: list[str] = field(default_factory=list)
    _verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: pytest.Config) -> VoiceSession:
        """Check the options; raises UsageError."""
        texts = texts_of(config)
        values = read_options("pytest", texts)
        settings = settings_of("pytest", values)
        return cls(
            settings,
            values,
            Baseline.from_options(values, settings),
            _allure(config),
            repeated(texts, settings),
        )

    def asks_for(self, requirement: Requirement) -> bool:
        """Whether the options leave it in."""
        return leaves_in(self.values, requirement)

    def check(self) -> None:
        """Raises UsageError for a requirement or an area that there is not, once all modules are imported."""
        selected_requirements(self.values)

    def execute(self, config: pytest.Config, planned: Sequence[Planned]) -> None:
        """Make the calls and judge them; ends the session where none can be made."""
        try:
            with progress(config) as shown:
                observer = all_of((shown, self._observe))
                uvloop.run(self._executed(planned, observer))
        except HarnessError as error:
            pytest.exit(str(error), returncode=EXIT_CODES[RunVerdict.INCONCLUSIVE])
        if self.run is not None:
            junit.tell_suite(config, self.run)
        if self.run is not None and self.run.unreachable:
            nobody = TargetUnreachableError(
                f"nothing answered at {self.run.target}: {self.run.unreachable}",
                "is the relay running, and is the URL right, with its path?",
            )
            pytest.exit(str(nobody), returncode=EXIT_CODES[RunVerdict.UNREACHABLE])

    async def _executed(self, planned: Sequence[Planned], observer: Observer) -> Run:
        least = judged_before(self.settings.reports) if self.values["requirement"] else None
        return await execute(
            self.settings,
            planned,
            observer,
            repeat=self.repeat,
            times=self.values["repeat"],
            least=least,
            mark=True,
        )

    def verdict(self, requirement: Requirement, scenario: Scenario | None) -> Verdict | None:
        """The verdict on the scenario's calls, without one on all of the run; None where none was made.

        Of a call that was lost it is the first that is judged, by how its caller came back.
        """
        if scenario is None:
            return self._verdicts["", requirement.id]
        calls = [entry for entry in self._entries(scenario) if not entry.continues]
        found = [self._verdicts[call.id, requirement.id] for call in calls]
        return together(found) if found else None

    def describe(self, requirement: Requirement, scenario: Scenario | None, verdict: Verdict) -> None:
        """Tell Allure about the running test, where it was asked for."""
        if self.allure is not None:
            self.allure.describe(requirement, self._entry(scenario), verdict)

    def finish(self, session: pytest.Session) -> None:
        """A run that does not show conformance does not end as a success."""
        if self.run is not None and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = EXIT_CODES[self.run.verdict] or int(self.baseline.failed)

    def settle(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Tell what a report says of a test of ours in JUnit's file."""
        if (scenario := getattr(item, "scenario", None)) is not None or hasattr(item, "scenarios"):
            junit.settle(report, item, self._entry(scenario))

    def summarise(self, reporter: pytest.TerminalReporter) -> None:
        """Say what it comes to."""
        if self.run is not None and not self.run.unreachable:
            terminal.summarise(reporter, self.run, self._written, seen=self.folded)
            terminal.compared(reporter, self.baseline.comparison)
            terminal.commands(reporter, self._ci_lines)

    def _observe(self, happening: Happening) -> None:
        match happening:
            case Judged(requirement, verdict):
                self._verdicts[(verdict.call, requirement.id)] = verdict
            case RunEnded(run):
                self.run = run
                self._write(run)

    def _write(self, run: Run) -> None:
        """The files first: the comparison reads them back, and the page shows the comparison."""
        write_run(run, self.settings.reports)
        if self.allure is not None:
            self.allure.finish(run)
        if not run.interrupted and not run.unreachable:
            self.baseline.compare(self.settings.reports / RESULTS)
        self._ci_lines = tell_ci(run, self.settings.reports, os.environ)
        page = write_html(
            run,
            self.settings.reports,
            load_library(),
            past=self.baseline.past,
            comparison=self.baseline.comparison,
        )
        self._written = str(page)

    def _entry(self, scenario: Scenario | None) -> CallEntry | None:
        return next(iter(self._entries(scenario)), None) if scenario else None

    def _entries(self, scenario: Scenario) -> list[CallEntry]:
        return [entry for entry in self.run.calls if entry.scenario == scenario.name] if self.run else []


def repeated(texts: Texts, settings: RunSettings) -> tuple[str, ...]:
    """The options that make a run's calls again; target and seed as they were understood."""
    target = settings.target
    named = [] if target is None else ["--target", target.name or target.shown_url]
    return (*named, *in_words("pytest", texts), "--seed", str(settings.seed))


def _allure(config: pytest.Config) -> AllureReport | None:
    """None where no Allure results were asked for, as where nobody could write them."""
    if not config.pluginmanager.has_plugin("allure_listener"):
        return None
    from harness.plugin.allure import AllureReport

    return AllureReport.of(config)
