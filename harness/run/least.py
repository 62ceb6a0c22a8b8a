"""The fewest calls that can judge what was asked for: the likeliest first, and none once all is judged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from harness.core.timeline import Timeline
from harness.requirements.judging import judge
from harness.requirements.model import Outcome, Requirement

if TYPE_CHECKING:
    from harness.run.engine import Planned

# What leaves a requirement open: another call may give it its occasion.
OPEN = (Outcome.NOT_APPLICABLE, Outcome.INCONCLUSIVE)
# (scenario, requirement) that an earlier run judged.
Occasions = Collection[tuple[str, str]]


def likeliest_first(planned: Iterable[Planned], occasions: Occasions) -> list[Planned]:
    """Those first that judged most of it before, then those written for it, then the shortest."""

    def key(each: Planned) -> tuple[int, int, bool, float]:
        ids = {requirement.id for requirement in each.requirements}
        before = sum((each.scenario.name, requirement) in occasions for requirement in ids)
        meant = len(ids & set(each.scenario.requirements))
        return -before, -meant, each.scenario.alone, each.scenario.lasts

    return sorted(planned, key=key)


def still_open(asked: Iterable[Requirement], timelines: Sequence[Timeline]) -> set[Requirement]:
    """Those that none of the calls has judged."""
    left = set(asked)
    for verdict in judge(timelines, sorted(left, key=lambda r: r.id)):
        if verdict.outcome not in OPEN:
            left = {requirement for requirement in left if requirement.id != verdict.id}
    return left
