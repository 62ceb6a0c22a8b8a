"""The harness's part in one pytest session: settings in, one run, and each test's verdict out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
import uvloop

from harness.call import Scenario
from harness.config.ice_options import ice_options
from harness.config.run import RunSettings, run_settings
from harness.core.errors import HarnessError, TargetUnreachableError
from harness.core.limits import parse_limits
from harness.network.presets import preset
from harness.plugin import terminal
from harness.plugin.allure import AllureReport
from harness.plugin.baseline import Baseline
from harness.plugin.options import is_strict
from harness.plugin.repeating import repeat_options
from harness.report.files import write_run
from harness.report.html import write_html
from harness.report.saved import RESULTS
from harness.requirements.model import Requirement, Verdict
from harness.requirements.registry import REGISTRY
from harness.run.engine import Planned, execute
from harness.run.model import EXIT_CODES, CallEntry, Run, RunVerdict
from harness.run.stream import Happening, Judged, RunEnded, all_of
from harness.speech.library import load_library


@dataclass
class VoiceSession:
    """What the plugin knows from collection to report. The run is made once, before the first test."""

    settings: RunSettings
    requirements: frozenset[Requirement]
    baseline: Baseline
    allure: AllureReport | None
    repeat: tuple[str, ...] = ()
    asked_over_calls: dict[Requirement, list[Scenario]] = field(default_factory=dict)
    run: Run | None = None
    _written: str = ""
    _verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: pytest.Config) -> VoiceSession:
        """Check the options; raises UsageError."""
        option = config.option
        settings = run_settings(
            target=option.target,
            config=option.config,
            dialect=option.dialect,
            origin=option.origin,
            auth=option.auth,
            silent=option.silent,
            offer=option.offer,
            caller=option.caller,
            fake_openai=option.fake_openai,
            seed=option.seed,
            concurrency=option.concurrency,
            reports=option.reports,
            strict=is_strict(config),
            impairment=option.impairment,
            limits=parse_limits(option.limits),
            ice=ice_options(
                option.ice_server,
                servers_from=option.ice_servers_from,
                policy=option.ice_transport_policy,
                ca_file=option.ice_ca,
            ),
        )
        if settings.impairment:
            preset(settings.impairment)
        selected = REGISTRY.select(ids=option.requirement, areas=option.area)
        # One line for each scenario and requirement, without being asked for it.
        config.option.verbose = max(config.option.verbose, 1)
        return cls(
            settings,
            frozenset(selected),
            Baseline.from_options(option, settings),
            AllureReport.of(config),
            repeat_options(option, settings),
        )

    def execute(self, config: pytest.Config, planned: Sequence[Planned]) -> None:
        """Make the calls and judge them; ends the session where none can be made."""
        observer = all_of((terminal.RunLines(config), self._observe))
        try:
            uvloop.run(execute(self.settings, planned, observer, repeat=self.repeat))
        except HarnessError as error:
            pytest.exit(str(error), returncode=EXIT_CODES[RunVerdict.INCONCLUSIVE])
        if self.run is not None and self.run.unreachable:
            nobody = TargetUnreachableError(
                f"nothing answered at {self.run.target}: {self.run.unreachable}",
                "is the relay running, and is the URL right, with its path?",
            )
            pytest.exit(str(nobody), returncode=EXIT_CODES[RunVerdict.UNREACHABLE])

    def verdict(self, requirement: Requirement, scenario: Scenario | None) -> Verdict:
        """The verdict on the scenario's first call, or without one on all calls of the run."""
        return self._verdicts[(self._call(scenario), requirement.id)]

    def describe(self, requirement: Requirement, scenario: Scenario | None, verdict: Verdict) -> None:
        """Tell Allure about the running test, where it was asked for."""
        if self.allure is not None:
            self.allure.describe(requirement, self._entry(scenario), verdict)

    def finish(self, session: pytest.Session) -> None:
        """A run that does not show conformance does not end as a success."""
        if self.run is not None and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = EXIT_CODES[self.run.verdict] or int(self.baseline.failed)

    def summarise(self, reporter: pytest.TerminalReporter) -> None:
        """Say what it comes to."""
        if self.run is not None and not self.run.unreachable:
            terminal.summarise(reporter, self.run, self._written)
            terminal.compared(reporter, self.baseline.comparison)

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
        page = write_html(
            run,
            self.settings.reports,
            load_library(),
            past=self.baseline.past,
            comparison=self.baseline.comparison,
        )
        self._written = str(page)

    def _call(self, scenario: Scenario | None) -> str:
        entry = self._entry(scenario)
        return entry.id if entry else ""

    def _entry(self, scenario: Scenario | None) -> CallEntry | None:
        if scenario is None or self.run is None:
            return None
        return next(entry for entry in self.run.calls if entry.scenario == scenario.name)
