"""The harness's part in one pytest session: settings in, one run, and each test's verdict out of it."""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from harness.call import Scenario
from harness.config.asking import settings_of
from harness.config.option_texts import Texts, in_words, read_options
from harness.config.run import RunSettings
from harness.core.errors import HarnessError, TargetUnreachableError, UsageError
from harness.core.printable import printable
from harness.platform.loop import run_loop
from harness.plugin import junit, terminal
from harness.plugin.baseline import Baseline
from harness.plugin.options import texts_of
from harness.plugin.progress import progress
from harness.plugin.verdicts import RunVerdicts
from harness.report.ci import CiSummary
from harness.report.files import ResultFiles
from harness.report.folder import claimed
from harness.report.html import ReportPage
from harness.report.saved import judged_before
from harness.report.telemetry import Telemetry
from harness.requirements.model import Outcome, Requirement, Verdict
from harness.run.engine import Planned, execute
from harness.run.model import EXIT_CODES, Run, RunVerdict
from harness.run.selecting import leaves_in, selected_requirements
from harness.run.stream import Observer, all_of

if TYPE_CHECKING:
    from harness.plugin.allure import AllureReport


class VoiceSession:
    """What the plugin knows from collection to report. The run is made once, before the first test."""

    def __init__(self, config: pytest.Config) -> None:
        """Check the options; raises UsageError."""
        texts = texts_of(config)
        self.values = read_options("pytest", texts)
        self.settings = settings_of("pytest", self.values)
        self.asked_over_calls: dict[Requirement, list[Scenario]] = {}
        self._repeat = repeated(texts, self.settings)
        self._folder = ExitStack()
        self._broken = 0  # tests that failed since the harness broke
        self.folded = False  # one line for each call, and each finding once
        # Each is one way to show or keep a run. The files come first: the comparison reads them back, and the
        # page shows the comparison.
        self._verdicts = RunVerdicts()
        self._baseline = Baseline.from_options(self.values, self.settings)
        self._allure = _allure(config)
        self._ci = CiSummary(self.settings.reports, os.environ)
        self._telemetry = Telemetry()
        self._page = ReportPage(
            self.settings.reports, lambda: (self._baseline.past, self._baseline.comparison)
        )
        observers: list[Observer] = [
            self._verdicts,
            ResultFiles(self.settings.reports),
            *([self._allure] if self._allure else []),
            self._baseline,
            self._ci,
            self._page,
            *([self._telemetry] if self.settings.telemetry else []),
            junit.SuiteProperties(config),
        ]
        self._keeping = all_of(observers)

    @property
    def run(self) -> Run | None:
        """None until it has ended."""
        return self._verdicts.run

    def asks_for(self, requirement: Requirement) -> bool:
        """Whether the options leave it in."""
        return leaves_in(self.values, requirement)

    def check(self) -> None:
        """Raises UsageError for a requirement or an area that there is not, once all modules are imported."""
        selected_requirements(self.values)

    def execute(self, config: pytest.Config, planned: Sequence[Planned]) -> None:
        """Make the calls and judge them; ends the session where none can be made."""
        try:
            config.add_cleanup(self._folder.close)
            self._folder.enter_context(claimed(self.settings.reports))
            with progress(config) as shown:
                executed = self._executed(planned, all_of((shown, self._keeping)))
                run_loop(executed, in_browser=self.settings.in_browser)
        except UsageError as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
        except HarnessError as error:
            pytest.exit(str(error), returncode=EXIT_CODES[RunVerdict.INCONCLUSIVE])
        except Exception as error:  # ours: in one line, since pytest's own would be its INTERNALERROR
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
            pytest.exit(
                printable(f"the harness broke in {place}: {type(error).__name__}: {error}"),
                returncode=EXIT_CODES[RunVerdict.INCONCLUSIVE],
            )
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
            repeat=self._repeat,
            times=self.values["repeat"],
            least=least,
            mark=True,
        )

    def verdict(self, requirement: Requirement, scenario: Scenario | None) -> Verdict | None:
        """The verdict on the scenario's calls, without one on all of the run; None where none was made."""
        return self._verdicts.verdict(requirement, scenario)

    def describe(self, requirement: Requirement, scenario: Scenario | None, verdict: Verdict) -> None:
        """Tell Allure about the running test, where it was asked for."""
        if self._allure is not None:
            self._allure.describe(requirement, self._verdicts.entry(scenario), verdict)

    def finish(self, session: pytest.Session) -> None:
        """A run that does not show conformance is no success, and one in which only we broke no violation."""
        ours_alone = (
            session.exitstatus == pytest.ExitCode.TESTS_FAILED and session.testsfailed == self._broken
        )
        if self.run is not None and (session.exitstatus == pytest.ExitCode.OK or ours_alone):
            session.exitstatus = EXIT_CODES[self.run.verdict] or int(self._baseline.failed)

    def settle(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Tell what a report says of a test of ours in JUnit's file; count those in which we broke."""
        self._broken += report.failed and ("harness.outcome", Outcome.ERROR.value) in report.user_properties
        if (scenario := getattr(item, "scenario", None)) is not None or hasattr(item, "scenarios"):
            junit.settle(report, item, self._verdicts.entry(scenario))

    def summarise(self, reporter: pytest.TerminalReporter) -> None:
        """Say what it comes to."""
        if self.run is not None and not self.run.unreachable:
            terminal.summarise(reporter, self.run, self._page.written, seen=self.folded)
            terminal.compared(reporter, self._baseline.comparison)
            terminal.commands(reporter, [*self._ci.lines, *self._telemetry.lines])


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
