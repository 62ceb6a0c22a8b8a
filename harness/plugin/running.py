"""The harness's part in one pytest session: settings, calls, verdicts, report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
import uvloop

from harness.call import Scenario
from harness.call.conduct import CallRecord, make_calls
from harness.call.desk import Desk
from harness.call.usage import UsageWatch
from harness.config.ice_options import ice_options
from harness.config.run import RunSettings, run_settings
from harness.core.clock import wall_time
from harness.core.errors import HarnessError, TargetUnreachableError
from harness.core.events import CallWithheld
from harness.core.limits import parse_limits
from harness.fakes.embedded import EmbeddedPair
from harness.network.presets import preset
from harness.plugin import terminal
from harness.plugin.allure import AllureReport
from harness.plugin.earlier import Earlier, conditions
from harness.plugin.options import is_strict
from harness.plugin.repeating import repeat_options
from harness.report.files import write_run
from harness.report.html import write_html
from harness.report.run import EXIT_CODES, CallEntry, Run, RunVerdict, hangs, unreachable
from harness.report.saved import RESULTS
from harness.requirements.judging import CallJudge, judge
from harness.requirements.model import Requirement, Verdict
from harness.requirements.registry import REGISTRY
from harness.speech.library import load_library


@dataclass
class Running:
    """What the plugin knows from collection to report. Each scenario's call is made once."""

    settings: RunSettings
    requirements: frozenset[Requirement]
    earlier: Earlier
    repeat: tuple[str, ...] = ()
    started_at: str = field(default_factory=wall_time)
    unreachable: str = ""
    judged_over_calls: dict[Requirement, list[Scenario]] = field(default_factory=dict)
    _nodes: dict[str, str] = field(default_factory=dict)
    _tests: dict[str, set[str]] = field(default_factory=dict)
    _records: dict[str, CallRecord] = field(default_factory=dict)
    _judges: dict[str, CallJudge] = field(default_factory=dict)
    _verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    _written: str = ""
    _allure: AllureReport | None = None

    @classmethod
    def from_config(cls, config: pytest.Config) -> Running:
        """Check the options; raises UsageError."""
        option = config.option
        settings = run_settings(
            target=option.target,
            config=option.config,
            dialect=option.dialect,
            origin=option.origin,
            auth=option.auth,
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
            Earlier.from_options(option, settings),
            repeat_options(option, settings),
            _allure=AllureReport.of(config),
        )

    def make_calls(self, session: pytest.Session) -> None:
        """Make one call for each selected scenario; ends the session where none can be made."""
        from harness.plugin.items import RequirementItem, RunItem

        items = [i for i in session.items if isinstance(i, RequirementItem)]
        for item in items:
            self._nodes[item.scenario.name] = item.nodeid.removesuffix(f"::{item.name}")
            self._tests.setdefault(item.scenario.name, set()).add(item.requirement.id)
        asked = [item.scenario for item in items]
        asked += [s for i in session.items if isinstance(i, RunItem) for s in i.scenarios]
        scenarios = list({scenario.name: scenario for scenario in asked}.values())
        progress = terminal.progress(session.config)
        try:
            uvloop.run(self._make(scenarios, progress))
        except TargetUnreachableError as error:
            self._show(self._write())
            pytest.exit(str(error), returncode=EXIT_CODES[RunVerdict.UNREACHABLE])
        except HarnessError as error:
            pytest.exit(str(error), returncode=EXIT_CODES[RunVerdict.INCONCLUSIVE])

    def record(self, scenario: Scenario) -> CallRecord:
        """The scenario's call."""
        return self._records[scenario.name]

    def verdict(self, scenario: Scenario, requirement: Requirement) -> Verdict:
        """Judge one requirement on the scenario's call; kept for the report."""
        judge = self._judges.setdefault(
            scenario.name, CallJudge(self.record(scenario).timeline, strict=self.settings.strict)
        )
        verdict = judge.verdict(requirement)
        if verdict.root is not None:
            # What blocks may lie in an area that this scenario does not judge; the report still names it.
            self._keep_verdict(judge.verdict(REGISTRY.get(verdict.root)))
        self._keep_verdict(verdict)
        return verdict

    def verdict_over_calls(self, requirement: Requirement) -> Verdict:
        """Judge one requirement over all calls of the run; kept for the report."""
        timelines = [
            record.timeline for first in self._records.values() for record in (first, *first.followed_by)
        ]
        (verdict,) = judge(timelines, [requirement], strict=self.settings.strict)
        self._keep_verdict(verdict)
        return verdict

    def describe(self, scenario: Scenario | None, requirement: Requirement, verdict: Verdict) -> None:
        """Tell Allure about the running test, where it was asked for."""
        if self._allure is not None:
            self._allure.describe(requirement, self.record(scenario) if scenario else None, verdict)

    def finish(self, session: pytest.Session) -> None:
        """Write the report; a run that does not show conformance does not end as a success."""
        if not self._verdicts:
            return
        run = self._write()
        if self._allure is not None:
            self._allure.finish(run)
        self.earlier.settle(self.settings.reports / RESULTS)
        self._show(run)
        if session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = EXIT_CODES[run.verdict] or int(self.earlier.failed)

    def summarise(self, reporter: pytest.TerminalReporter) -> None:
        """Say what it comes to."""
        if self._verdicts:
            terminal.summarise(reporter, self._run(), self._written)
            terminal.compared(reporter, self.earlier.comparison)

    def _run(self) -> Run:
        target = self.settings.target
        return Run(
            target=target.shown_url if target else "",
            dialect=self.settings.dialect,
            mode=self.settings.mode,
            seed=self.settings.seed,
            started_at=self.started_at,
            calls=tuple(
                self._entry(record)
                for first in self._records.values()
                for record in (first, *first.followed_by)
            ),
            verdicts=tuple(self._verdicts.values()),
            unreachable=self.unreachable,
            conditions=conditions(self.settings),
            repeat=self.repeat,
        )

    def _entry(self, record: CallRecord) -> CallEntry:
        name = record.scenario.name
        return CallEntry(
            record.id,
            name,
            record.timeline,
            record.audio,
            title=record.scenario.title,
            node=self._nodes.get(name, ""),
            judged=frozenset(self._tests.get(name, ())),
        )

    def _keep_verdict(self, verdict: Verdict) -> None:
        self._verdicts.setdefault((verdict.call, verdict.id), verdict)

    def _write(self) -> Run:
        run = self._run()
        write_run(run, self.settings.reports)
        return run

    def _show(self, run: Run) -> None:
        page = write_html(
            run,
            self.settings.reports,
            load_library(),
            past=self.earlier.past,
            comparison=self.earlier.comparison,
        )
        self._written = str(page)

    async def _make(self, scenarios: Sequence[Scenario], progress: terminal.Progress) -> None:
        async with Desk.open(self.settings, EmbeddedPair.for_run, progress) as desk:
            self.settings = desk.settings
            progress(f"target {desk.target.shown_url} ({desk.target.dialect}, {desk.settings.mode})")
            progress(f"seed {desk.settings.seed}")
            rest = list(scenarios)
            usage = await UsageWatch.begin(desk.target, desk.client)
            if self.settings.mode != "embedded":
                # One ordinary call finds out that nobody answers; the others need not wait for the same.
                ordinary = next((s for s in rest if "connectivity" in s.areas), rest[0])
                rest.remove(ordinary)
                (first,) = await make_calls(desk, [ordinary], concurrency=1, first=0)
                self._keep(first, progress)
                self._check_reachable(first)
                if silence := hangs(first.timeline):
                    # Each further call would wait as long, to show the same.
                    progress(f"  the target hangs ({silence}): no further call is made")
                    desk.budget.close(f"the target hung on the first offer: {silence}")
            together = sorted(
                (s for s in rest if not s.alone), key=lambda s: -s.lasts
            )  # none keeps all waiting
            alone = [s for s in rest if s.alone]
            side_by_side = min(self.settings.concurrency, len(rest))
            progress(f"making {len(rest)} calls, {side_by_side} side by side")
            for group, places, number in (
                (together, self.settings.concurrency, 1),
                (alone, 1, 1 + len(together)),
            ):
                await make_calls(
                    desk, group, concurrency=places, on_done=lambda r: self._keep(r, progress), first=number
                )
            self._records = {s.name: self._records[s.name] for s in scenarios}
            if usage is not None:
                progress("asking the target what the run used")
                told = await usage.end(list(self._records.values()))
                if told.failed:
                    progress(f"  {told.failed}")

    def _keep(self, record: CallRecord, progress: terminal.Progress) -> None:
        self._records[record.scenario.name] = record
        withheld = record.timeline.first(CallWithheld)
        if withheld is not None:
            progress(f"  {record.scenario.name} was not placed: {withheld.reason}")
            return
        seconds = max((event.at for event in record.timeline), default=0.0)
        progress(f"  {record.scenario.name} took {seconds:.1f} s")

    def _check_reachable(self, record: CallRecord) -> None:
        self.unreachable = unreachable(record.timeline)
        if not self.unreachable:
            return
        url = self.settings.target.shown_url if self.settings.target else ""
        raise TargetUnreachableError(
            f"nothing answered at {url}: {self.unreachable}",
            "is the relay running, and is the URL right, with its path?",
        )
