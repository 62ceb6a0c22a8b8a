"""What a finished call comes to: its failure, judged by the code that judges scenarios."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from harness.call.conduct import CallRecord
from harness.core.events import CallEnded, HttpFailed
from harness.core.stages import stages
from harness.core.timeline import Timeline
from harness.load.analysis import rows
from harness.load.call_process.plans import ABANDONED
from harness.requirements.judging import CallJudge
from harness.requirements.model import Outcome, Verdict
from harness.requirements.registry import REGISTRY
from harness.run.model import UNREACHABLE


@dataclass(frozen=True)
class CallOutcome:
    """`failure` is `REQUIREMENT: CAUSE`, and `row` the stage that it belongs to; both empty for a good call.

    `broken` says what the harness itself got wrong, so that the call shows nothing of the target.
    """

    failure: str
    row: str
    broken: str
    unreachable: bool


async def outcome_of(record: CallRecord) -> CallOutcome:
    """Judge a call by the requirements of its plan.

    One requirement at a time: all of them take as long as a frame, in which every other call's packets would
    be late. A thread would be worse, since each packet's system call hands it the interpreter.
    """
    timeline = record.timeline
    judge = CallJudge(timeline)
    verdicts = []
    for requirement in REGISTRY.select(areas=record.scenario.areas):
        if requirement.over == "call":
            verdicts.append(judge.verdict(requirement))
            await asyncio.sleep(0)
    failed = next((v for v in verdicts if v.outcome == Outcome.FAILED), None)
    broken = next((v for v in verdicts if v.outcome == Outcome.ERROR), None)
    ended = timeline.first(CallEnded)
    abandoned = failed is None and ended is not None and ended.reason == ABANDONED
    unanswered = timeline.first(HttpFailed)
    return CallOutcome(
        failure=ABANDONED if abandoned else _named(failed),
        row=rows.FIRST_AUDIO if abandoned else rows.row_of(REGISTRY.get(failed.id).stage) if failed else "",
        broken=broken.explanation if broken else "",
        unreachable=unanswered is not None and unanswered.failure in UNREACHABLE,
    )


def done_stages(timeline: Timeline) -> Iterator[tuple[str, float, float]]:
    """(row, when it ended in seconds on the timeline, ms) of each stage that ended."""
    for stage in stages(timeline):
        if stage.seconds is not None and stage.name in rows.OF_STAGE:
            yield rows.OF_STAGE[stage.name], stage.start + stage.seconds, 1000 * stage.seconds


def _named(failed: Verdict | None) -> str:
    return f"{failed.id}: {failed.cause or failed.explanation}" if failed else ""
