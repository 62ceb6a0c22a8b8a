"""A scenario in pytest's tree: one collector for the scenario, one test for each requirement it judges.

What takes all calls of a run is a test of no scenario: it stands once, under `run`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from harness.call import Scenario
from harness.core.errors import HarnessError, RequirementViolated, UsageError
from harness.plugin.junit import properties
from harness.plugin.session import VoiceSession
from harness.report.explain import explain
from harness.requirements.model import Outcome, Requirement, Verdict
from harness.requirements.registry import REGISTRY
from harness.run.engine import Planned
from harness.run.smoke import smoke


class ScenarioNode(pytest.Collector):
    """One scenario: its requirements are its tests."""

    def __init__(self, *, scenario: Scenario, voice: VoiceSession, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scenario = scenario
        self.voice = voice

    def collect(self) -> Iterator[RequirementItem]:
        """A test for each requirement of the scenario's areas that the options leave in."""
        try:
            judged = REGISTRY.select(ids=self.scenario.requirements, areas=self.scenario.areas)
        except UsageError as error:
            raise self.CollectError(f"{self.scenario.name}: {error}") from error
        for requirement in judged:
            if not self.voice.asks_for(requirement):
                continue
            if requirement.over == "calls":
                self.voice.asked_over_calls.setdefault(requirement, []).append(self.scenario)
            else:
                yield RequirementItem.from_parent(
                    self,
                    name=requirement.id,
                    scenario=self.scenario,
                    requirement=requirement,
                    voice=self.voice,
                )


class RequirementItem(pytest.Item):
    """One requirement, judged on the scenario's one call."""

    def __init__(
        self, *, scenario: Scenario, requirement: Requirement, voice: VoiceSession, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.scenario = scenario
        self.requirement = requirement
        self.voice = voice

    def runtest(self) -> None:
        """Judge; raise RequirementViolated where the target broke it, HarnessError where we broke."""
        verdict = self.voice.verdict(self.requirement, self.scenario)
        if verdict is None:
            pytest.skip("no call was needed: another scenario's has judged it")
        self.user_properties += properties(self.requirement, verdict)
        self.voice.describe(self.requirement, self.scenario, verdict)
        tell(verdict, self.requirement)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The verdict in words; a traceback only for an error that nobody foresaw."""
        return in_words(excinfo) or super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where it is, and its headline in the list of failures."""
        return self.path, max(self.scenario.place[1] - 1, 0), f"{self.scenario.name}: {self.requirement.id}"


class WholeRun(pytest.Collector):
    """What is judged over all calls."""

    def collect(self) -> Iterator[pytest.Item]:
        """Nothing by itself: see `items_of_run`."""
        return iter(())


class RunItem(pytest.Item):
    """One requirement, judged over all calls of the run. `scenarios`: those that ask for it."""

    def __init__(
        self, *, scenarios: Sequence[Scenario], requirement: Requirement, voice: VoiceSession, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.scenarios = tuple(scenarios)
        self.requirement = requirement
        self.voice = voice

    def runtest(self) -> None:
        """Judge, as `RequirementItem` does."""
        verdict = self.voice.verdict(self.requirement, None)
        assert verdict is not None  # noqa: S101  (all that is judged over calls has one)
        self.user_properties += properties(self.requirement, verdict)
        self.voice.describe(self.requirement, None, verdict)
        tell(verdict, self.requirement)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The verdict in words, as `RequirementItem` has it."""
        return in_words(excinfo) or super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where it is, and its headline in the list of failures."""
        return self.path, None, f"run: {self.requirement.id}"


def items_of_run(session: pytest.Session, voice: VoiceSession) -> list[pytest.Item]:
    """A test for each requirement over all calls that a collected scenario asks for."""
    run = WholeRun.from_parent(session, name="run", nodeid="run")
    return [
        RunItem.from_parent(
            run, name=requirement.id, scenarios=scenarios, requirement=requirement, voice=voice
        )
        for requirement, scenarios in voice.asked_over_calls.items()
    ]


def items_of_smoke(session: pytest.Session, voice: VoiceSession) -> list[pytest.Item]:
    """The tests of the one quick call."""
    node = ScenarioNode.from_parent(session, name=smoke.name, nodeid=smoke.name, scenario=smoke, voice=voice)
    return list(node.collect())


def planned(items: Sequence[pytest.Item]) -> list[Planned]:
    """What the selected tests take: one call for each of their scenarios, judged by what is selected."""
    scenarios: dict[str, Scenario] = {}
    nodes: dict[str, str] = {}
    judged: dict[str, list[Requirement]] = {}
    for item in items:
        match item:
            case RequirementItem():
                taken: Sequence[Scenario] = (item.scenario,)
                nodes[item.scenario.name] = item.nodeid.removesuffix(f"::{item.name}")
            case RunItem():
                taken = item.scenarios
            case _:
                continue
        for scenario in taken:
            scenarios[scenario.name] = scenario
            judged.setdefault(scenario.name, []).append(item.requirement)
    return [
        Planned(scenario, tuple(judged[name]), nodes.get(name, "")) for name, scenario in scenarios.items()
    ]


def in_words(excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    """The verdict; empty for an error that nobody foresaw, which needs its traceback."""
    return str(excinfo.value) if isinstance(excinfo.value, RequirementViolated | HarnessError) else ""


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
