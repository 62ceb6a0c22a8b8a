"""Calls in which nothing goes wrong, and what is found in them all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import cycle, islice
from pkgutil import iter_modules
from typing import Any

import scenarios
from harness.call import Scenario
from harness.config.timeouts import Timeouts
from harness.core.timeline import Timeline
from harness.requirements import REGISTRY, Outcome, Verdict, judge
from tests.system.calling import CONCURRENCY, make_planned_calls
from tests.system.planted import Faultless
from tests.system.planted_signaling import PAGE_ORIGIN

ALARMS = (Outcome.FAILED, Outcome.WARNED, Outcome.ERROR)


@dataclass(frozen=True)
class Part:
    """One part's figures of the proof, and what is wrong."""

    figures: dict[str, Any]
    wrong: Sequence[str]


def every_scenario() -> list[Scenario]:
    """Those of scenarios/ that are for every kind of caller, in the order of their files."""
    modules = [import_module(f"scenarios.{module.name}") for module in iter_modules(scenarios.__path__)]
    found = [each for module in modules for each in vars(module).values() if isinstance(each, Scenario)]
    return [each for each in found if not each.callers]


def faultless(number: int, offer: str = "") -> list[Faultless]:
    """So many calls, the scenarios in turn; their offers too, or all written as one browser's."""
    plans = islice(cycle(every_scenario()), number)
    return [Faultless(each.plan, target=_target(each), offer=offer) for each in plans]


def _target(scenario: Scenario) -> tuple[tuple[str, Any], ...]:
    """The reference relay limits nobody's calls unless told to, since load comes from one caller."""
    unlimited = (("auth", "open"),) if scenario.name == "calls_beside" else ()
    return (("origin", PAGE_ORIGIN), *unlimited)


def make_faultless(calls: Sequence[Faultless], seed: int, side_by_side: int = CONCURRENCY) -> list[Timeline]:
    """Made with the limits and time-outs that every user has."""
    return make_planned_calls(calls, seed, limits={}, timeouts=Timeouts(), side_by_side=side_by_side)


def alarms(timeline: Timeline) -> list[Verdict]:
    """What is found in a call; in a faultless one, that is false."""
    return [verdict for verdict in judge([timeline], REGISTRY) if verdict.outcome in ALARMS]


def undecided(timeline: Timeline) -> list[Verdict]:
    """What could not be told."""
    return [verdict for verdict in judge([timeline], REGISTRY) if verdict.outcome == Outcome.INCONCLUSIVE]


def false_alarms(timelines: Sequence[Timeline]) -> Part:
    """How many of these calls raise one; `verdicts_passed` shows that they were looked at."""
    raised = [(t, alarms(t)) for t in timelines]
    outcomes = Counter(v.outcome for t in timelines for v in judge([t], REGISTRY))
    return Part(
        {
            "calls": len(timelines),
            "calls_with_a_false_alarm": sum(bool(found) for _, found in raised),
            "calls_with_an_inconclusive_verdict": sum(bool(undecided(t)) for t in timelines),
            "verdicts_passed": outcomes[Outcome.PASSED],
        },
        [f"{v.scenario}: {v.id} {v.cause}: {v.explanation}" for _, found in raised for v in found],
    )
