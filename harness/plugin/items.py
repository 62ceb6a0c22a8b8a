"""A scenario in pytest's tree: one collector for the scenario, one test for each requirement it judges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from harness.call import Scenario
from harness.core.errors import HarnessError, RequirementViolated, UsageError
from harness.plugin import allure
from harness.plugin.running import Running
from harness.report.explain import explain
from harness.requirements.model import Outcome, Requirement, Verdict
from harness.requirements.registry import REGISTRY


class ScenarioNode(pytest.Collector):
    """One scenario: its requirements are its tests."""

    def __init__(self, *, scenario: Scenario, running: Running, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scenario = scenario
        self.running = running

    def collect(self) -> Iterator[RequirementItem]:
        """A test for each requirement of the scenario's areas that the options leave in."""
        try:
            judged = REGISTRY.select(ids=self.scenario.requirements, areas=self.scenario.areas)
        except UsageError as error:
            raise self.CollectError(f"{self.scenario.name}: {error}") from error
        for requirement in judged:
            if requirement in self.running.requirements:
                yield RequirementItem.from_parent(
                    self,
                    name=requirement.id,
                    scenario=self.scenario,
                    requirement=requirement,
                    running=self.running,
                )


class RequirementItem(pytest.Item):
    """One requirement, judged on the scenario's one call."""

    def __init__(
        self, *, scenario: Scenario, requirement: Requirement, running: Running, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.scenario = scenario
        self.requirement = requirement
        self.running = running

    def runtest(self) -> None:
        """Judge; raise RequirementViolated where the target broke it, HarnessError where we broke."""
        verdict = self.running.verdict(self.scenario, self.requirement)
        self.user_properties.append(("harness.outcome", verdict.outcome.value))
        if self.config.option.allure_report_dir:
            allure.describe(self.requirement, self.running.record(self.scenario), verdict)
        tell(verdict, self.requirement)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The verdict in words; a traceback only for an error that nobody foresaw."""
        if isinstance(excinfo.value, RequirementViolated | HarnessError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where it is, and its headline in the list of failures."""
        return self.path, None, f"{self.scenario.name}: {self.requirement.id}"


def tell(verdict: Verdict, requirement: Requirement) -> None:
    """Turn an outcome into pytest's: raise, skip or pass."""
    match verdict.outcome:
        case Outcome.FAILED:
            raise RequirementViolated(explain(verdict, requirement.title))
        case Outcome.ERROR:
            raise HarnessError(explain(verdict, requirement.title))
        case Outcome.BLOCKED | Outcome.NOT_APPLICABLE | Outcome.INCONCLUSIVE:
            pytest.skip(verdict.explanation)
        case _:
            return
