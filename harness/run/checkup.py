"""The stages of a call as a list to tick off: what was reached when, and, once judged, what is wrong there.

What was reached is read from the timeline while the call is made; what is wrong is the requirements' to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from harness.core.events import CallEnded, ClientEvent, Event, ReceiverReport, ServerEvent
from harness.core.printable import printable
from harness.core.stages import stages
from harness.core.timeline import Timeline
from harness.requirements.model import Outcome, Verdict
from harness.requirements.registry import REGISTRY
from harness.run.checkup_stages import STAGES, CheckupStage
from harness.run.model import is_lost_observation


class State(StrEnum):
    """What became of a stage."""

    WAITING = "waiting"
    UNDER_WAY = "under way"
    REACHED = "reached"
    NOT_REACHED = "not reached"
    WARNED = "warned"
    UNCLEAR = "unclear"
    FAILED = "failed"


@dataclass(frozen=True)
class Check:
    """One stage: when it was reached on the timeline and how long it took, both in seconds."""

    name: str
    state: State
    at: float | None = None
    took: float | None = None
    detail: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "detail", printable(self.detail))

    def as_result(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def checkup(timeline: Timeline, verdicts: Iterable[Verdict] = ()) -> list[Check]:
    """Every stage in the order of a call, with the verdicts of the judged call where there are any."""
    durations = {stage.name: stage.seconds for stage in reversed(stages(timeline))}
    possible = [stage for stage in STAGES if stage.seen(timeline)]
    findings = _findings(verdicts, possible)
    is_over = timeline.last(CallEnded) is not None
    found: list[Check] = []
    for stage in possible:
        at = stage.reached(timeline)
        detail = stage.detail(timeline) if at is not None else ""
        state = State.REACHED if at is not None else State.NOT_REACHED if is_over else State.WAITING
        for verdict in findings.get(stage.name, ()):
            state, detail = _STATES[verdict.outcome], f"{verdict.id}: {verdict.cause or verdict.outcome}"
            break
        found.append(Check(stage.name, state, at, durations.get(stage.timed), detail))
    return found if is_over else _under_way(found)


class StageWatch:
    """The stages of one call, each told once, while the call is made."""

    def __init__(self) -> None:
        self._waiting = list(STAGES)

    def reached_by(self, timeline: Timeline, event: Event) -> Iterator[Check]:
        """The stages that the event, just appended to the timeline, completes. Called at each event."""
        if not _is_telling(event):
            return
        for stage in list(self._waiting):
            at = stage.reached(timeline) if stage.seen(timeline) else None
            if at is not None:
                self._waiting.remove(stage)
                yield Check(stage.name, State.REACHED, at, detail=stage.detail(timeline))


def _is_telling(event: Event) -> bool:
    """Whether a stage may be reached by it; looking at all the rest would cost the call its pace."""
    if isinstance(event, ServerEvent):
        return not event.type.endswith(".delta")
    return event.side == "caller" and not isinstance(event, ClientEvent | ReceiverReport)


def _under_way(found: list[Check]) -> list[Check]:
    """The first stage after the last that was reached is the one that is waited for."""
    last = max((n for n, check in enumerate(found) if check.at is not None), default=-1)
    return [
        Check(check.name, State.UNDER_WAY) if number == last + 1 else check
        for number, check in enumerate(found)
    ]


_STATES = {
    Outcome.FAILED: State.FAILED,
    Outcome.WARNED: State.WARNED,
    Outcome.ERROR: State.UNCLEAR,
    Outcome.INCONCLUSIVE: State.UNCLEAR,
}


def _findings(verdicts: Iterable[Verdict], stages_shown: Sequence[CheckupStage]) -> dict[str, list[Verdict]]:
    """Stage → what is wrong there, the gravest first. What a call cannot show is said at the next stage."""
    found: dict[str, list[Verdict]] = {}
    for verdict in sorted(verdicts, key=lambda v: list(Outcome).index(v.outcome)):
        if verdict.outcome not in _STATES or is_lost_observation(verdict):
            continue
        about = REGISTRY.get(verdict.id).stage
        place = next(n for n, stage in enumerate(STAGES) if about in stage.covers)
        later = [stage for stage in STAGES[place:] if stage in stages_shown]
        stage = next((stage for stage in later if about in stage.covers), later[0])
        found.setdefault(stage.name, []).append(verdict)
    return found
