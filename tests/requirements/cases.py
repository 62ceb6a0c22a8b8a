"""Where the cases are collected: for each cause a timeline that provokes it and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from harness.core.events import Event
from harness.core.timeline import Timeline
from tests.support.timelines import timeline_of

Calls = list[Timeline]


class Case(NamedTuple):
    """One cause of one requirement, and how to provoke it; `name` tells several ways apart."""

    requirement: str
    cause: str
    name: str
    calls: Callable[[], Calls]

    def __str__(self) -> str:
        return f"{self.requirement}:{self.cause}:{self.name}"


CASES: list[Case] = []


def case(
    requirement: str, cause: str
) -> Callable[[Callable[[], Sequence[Event]]], Callable[[], Sequence[Event]]]:
    """The decorated function gives the events of one call that provokes the cause."""

    def collect(events: Callable[[], Sequence[Event]]) -> Callable[[], Sequence[Event]]:
        CASES.append(Case(requirement, cause, events.__name__, lambda: [timeline_of(events())]))
        return events

    return collect
