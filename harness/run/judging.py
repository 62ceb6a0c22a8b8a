"""The verdicts on the calls of a run, by the judge that everybody uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from harness.core.timeline import Timeline
from harness.requirements.judging import CallJudge, judge
from harness.requirements.model import Requirement, Verdict
from harness.requirements.registry import REGISTRY

OnVerdict = Callable[[Requirement, Verdict], None]


def judge_call(
    timeline: Timeline, requirements: Iterable[Requirement], on_verdict: OnVerdict, *, strict: bool = False
) -> None:
    """Judge one call by each requirement that takes one.

    What blocks a requirement may lie in an area that was not asked for: it is told as well, before the first
    that it blocks, so that a report names it. Nothing is told twice.
    """
    told: set[str] = set()
    bench = CallJudge(timeline, strict=strict)

    def tell(requirement: Requirement, verdict: Verdict) -> None:
        if verdict.id not in told:
            told.add(verdict.id)
            on_verdict(requirement, verdict)

    for requirement in requirements:
        if requirement.over != "call":
            continue
        verdict = bench.verdict(requirement)
        if verdict.root is not None:
            root = REGISTRY.get(verdict.root)
            tell(root, bench.verdict(root))
        tell(requirement, verdict)


def judge_over_calls(
    timelines: Sequence[Timeline],
    requirements: Iterable[Requirement],
    on_verdict: OnVerdict,
    *,
    strict: bool = False,
) -> None:
    """Judge all calls together by each requirement that takes several."""
    over = [requirement for requirement in requirements if requirement.over == "calls"]
    for requirement, verdict in zip(over, judge(timelines, over, strict=strict), strict=True):
        on_verdict(requirement, verdict)
