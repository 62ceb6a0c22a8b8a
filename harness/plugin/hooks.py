"""Hooks into pytest: options, collection of scenarios, the calls before the tests, the report after them.

This module is loaded by every pytest run of an environment that has the harness, so it imports nothing
heavy: all else waits until a scenario is collected.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.core.errors import UsageError
from harness.plugin.options import ShortNames, add_options

if TYPE_CHECKING:
    from harness.plugin.folding import Folding
    from harness.plugin.session import VoiceSession

VOICE: pytest.StashKey[VoiceSession] = pytest.StashKey()
PROBLEM: pytest.StashKey[str] = pytest.StashKey()
FOLDING: pytest.StashKey[Folding] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --voice-target and the others."""
    add_options(parser)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """A scenario in a folder that the command line names is collected whatever its file is called."""
    found = yield
    if not found and file_path.suffix == ".py":
        from harness.plugin.collecting import is_asked_for

        if is_asked_for(file_path, parent.config):
            return [pytest.Module.from_parent(parent, path=file_path)]
    return found


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None]:
    """Understand --target as --voice-target, unless a plugin or a conftest has one of its own."""
    names = ShortNames(parser, args)
    names.replace()
    # Which conftests are loaded first is read off the paths: a value of ours is none.
    if (paths := names.paths()) is not None:
        early_config.known_args_namespace.file_or_dir = paths
    yield
    names.restore()
    names.check()


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> pytest.Collector | None:
    """A module-level Scenario is collected whatever it is called."""
    # Looked at by name first: importing the harness for every object of every test module would be rude.
    if type(obj).__module__ != "harness.call.scenario":
        return None
    from harness.call import Scenario
    from harness.plugin.items import ScenarioNode

    stash = collector.config.stash
    if not isinstance(obj, Scenario) or PROBLEM in stash:
        return None
    if not _begin(collector.config):
        return None
    if obj.callers and stash[VOICE].settings.caller not in obj.callers:
        return None  # what it does means nothing to this kind of caller
    return ScenarioNode.from_parent(collector, name=name, scenario=obj, voice=stash[VOICE])


def _begin(config: pytest.Config) -> bool:
    """Read the options, once; False where one cannot be used."""
    from harness.core.printable import make_logs_printable
    from harness.plugin.session import VoiceSession

    if VOICE not in config.stash and PROBLEM not in config.stash:
        try:
            config.stash[VOICE] = VoiceSession(config)
            make_logs_printable()
        except UsageError as error:
            # Raised here, it would be reported once for each file as an error of its collection.
            config.stash[PROBLEM] = str(error)
    return VOICE in config.stash


@pytest.hookimpl(tryfirst=True)  # before -k and -m choose
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Refuse the run where an option cannot be used: one message, exit status 4. Then add the run's tests."""
    smoke = getattr(config.option, "voice_smoke", False) and _begin(config)
    if PROBLEM in config.stash:
        raise pytest.UsageError(config.stash[PROBLEM])
    if VOICE in config.stash:
        try:
            config.stash[VOICE].check()
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error
    if VOICE in config.stash and hasattr(config, "workerinput"):
        from harness.plugin.items import RequirementItem, RunItem
        from harness.plugin.workers import refuse

        items[:] = [item for item in items if not isinstance(item, RequirementItem | RunItem)]
        del config.stash[VOICE]
        refuse(config)
        return
    if smoke:
        from harness.plugin.items import items_of_smoke

        config.hook.pytest_deselected(items=list(items))
        items[:] = items_of_smoke(session, config.stash[VOICE])
        config.stash[VOICE].asked_over_calls.clear()
    elif VOICE in config.stash and not any("::" in argument for argument in config.args):
        from harness.plugin.items import items_of_run

        items.extend(items_of_run(session, config.stash[VOICE]))


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Make the calls of all selected scenarios before the first requirement is judged."""
    voice = session.config.stash.get(VOICE, None)
    if voice is not None and not session.config.option.collectonly and not session.testsfailed:
        from harness.plugin.items import planned

        if plan := planned(session.items):
            from harness.plugin.folding import Folding

            voice.execute(session.config, plan)
            if folding := Folding.of(session.config, session.items):
                session.config.stash[FOLDING] = folding
                # Root causes have told each finding: pytest's last lines only name the tests, also in CI.
                session.config.option.force_short_summary = True
                voice.folded = True
    return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)  # nearest to pytest's own, before anybody else sees the report
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the target says is printed by pytest too, and written to its files."""
    report = yield
    if VOICE in item.config.stash:
        from harness.plugin.terminal import make_report_printable

        item.config.stash[VOICE].settle(item, report)
        make_report_printable(report)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config) -> tuple[str, str, Any] | None:
    """Our outcomes by their own names; in a line for each call where nobody asked for more."""
    for name, value in getattr(report, "user_properties", ()):  # a collection report has none
        if name == "harness.outcome" and report.when == "call":
            from harness.plugin.terminal import status_of

            status = status_of(str(value)) or (report.outcome, "", report.outcome.upper())
            if FOLDING in config.stash:
                return status[0], config.stash[FOLDING].letter(report, str(value)), status[2]
            return status_of(str(value))
    return None


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist is done: it may have had scenarios."""
    from harness.plugin.workers import note

    note(node)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Settle the exit status."""
    if session.config.pluginmanager.has_plugin("dsession"):
        from harness.plugin.workers import is_refused

        if is_refused(session.config):
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
    voice = session.config.stash.get(VOICE, None)
    if voice is not None:
        voice.finish(session)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The root causes, the verdict and where the evidence is."""
    voice = config.stash.get(VOICE, None)
    if voice is not None:
        voice.summarise(terminalreporter)
    elif config.pluginmanager.has_plugin("dsession"):
        from harness.plugin.workers import REFUSED, is_refused

        if is_refused(config):
            terminalreporter.write_line(f"ERROR: {REFUSED}", red=True)
