"""What JUnit's file says of a test of ours: how long its call took, what the run was, and no path of ours."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from harness.core.printable import printable
from harness.requirements.model import Requirement, Verdict
from harness.run.model import CallEntry, Run
from harness.run.stream import Happening, RunEnded


def properties(requirement: Requirement, verdict: Verdict) -> list[tuple[str, object]]:
    """What a test's verdict is, for `user_properties`."""
    found: list[tuple[str, object]] = [
        ("harness.outcome", verdict.outcome.value),
        ("harness.requirement", requirement.id),
        ("harness.level", verdict.level.value),
    ]
    found += [("harness.cause", verdict.cause)] if verdict.cause else []
    found += [("harness.call", verdict.call)] if verdict.call else []
    return found


def settle(report: pytest.TestReport, item: pytest.Item, call: CallEntry | None) -> None:
    """Give a test its part of its call's time, and let a skip point at its scenario instead of at us.

    The call's time is shared evenly by the tests that judge it, so that those of a scenario sum up to it.
    """
    if call is not None and report.when == "call":
        lasted = max((event.at for event in call.timeline), default=0.0)
        report.duration += lasted / max(len(call.judged), 1)
    if isinstance(report.longrepr, tuple):
        path, line, _ = item.location
        report.longrepr = (path, (line or 0) + 1, report.longrepr[2])


@dataclass(frozen=True)
class SuiteProperties:
    """Observes a run: what it was stands in JUnit's file."""

    config: pytest.Config

    def __call__(self, happening: Happening) -> None:
        """Nothing before the end."""
        if isinstance(happening, RunEnded):
            tell_suite(self.config, happening.run)


def tell_suite(config: pytest.Config, run: Run) -> None:
    """Give the whole suite what its calls share, where JUnit's file was asked for."""
    facts = {
        "target": run.target,
        "dialect": run.dialect,
        "mode": run.mode,
        "verdict": run.verdict.value,
        "seed": run.seed,
        "harness": run.harness_version,
        **run.conditions,
    }
    for plugin in config.pluginmanager.get_plugins():
        if add := getattr(plugin, "add_global_property", None):  # pytest's LogXML
            for name, value in facts.items():
                add(f"harness.{name}", printable(str(value)))
