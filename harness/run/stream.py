"""What happens in a run, in its order: the one stream that terminal, files and pages are made from.

An observer is a function of one happening. It is called between the packets of calls, so it must be quick.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.call.conduct import CallRecord
from harness.config.run import Mode
from harness.core.errors import HarnessError
from harness.core.timeline import Timeline
from harness.requirements.model import Requirement, Verdict
from harness.run.checkup import Check
from harness.run.model import Run


@dataclass(frozen=True)
class RunStarted:
    """The target is known, and the calls begin: `calls` in all, so many side by side.

    `seconds`: how long they will take, roughly.
    """

    target: str
    dialect: str
    mode: Mode
    seed: int
    calls: int
    side_by_side: int
    seconds: float = 0.0


@dataclass(frozen=True)
class StageReached:
    """A call came so far. `timeline` is still being written."""

    scenario: str
    call: str
    check: Check
    timeline: Timeline


@dataclass(frozen=True)
class CallFinished:
    """A call is over, or was not placed.

    Its verdicts follow the last call, or came just before this where calls are judged as they end. `failed`:
    what was found so far, `signaling.answer-is-sdp: html-page`, where the run was asked to look.
    """

    record: CallRecord
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Noted:
    """Something that a person who waits wants to know."""

    text: str


@dataclass(frozen=True)
class Judged:
    """One requirement has its verdict on one call, or on all of them."""

    requirement: Requirement
    verdict: Verdict


@dataclass(frozen=True)
class RunEnded:
    """Everything is judged: what a report is written from."""

    run: Run


Happening = RunStarted | StageReached | CallFinished | Noted | Judged | RunEnded
Observer = Callable[[Happening], None]


def all_of(observers: Iterable[Observer]) -> Observer:
    """One observer that tells each of them, in this order."""
    told = tuple(observers)

    def tell(happening: Happening) -> None:
        for observer in told:
            observer(happening)

    return tell


def guarded(observer: Observer) -> Observer:
    """An observer that may break without breaking the run: it is told of that once, and of all that follows.

    Who writes the report at the run's end is the exception: a report that failed is no report. Raises
    HarnessError with the place.
    """
    broke: list[str] = []

    def tell(happening: Happening) -> None:
        try:
            observer(happening)
        except HarnessError:
            raise
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
            what = f"an observer broke in {place}: {type(error).__name__}: {error}"
            if isinstance(happening, RunEnded):
                raise HarnessError(what, "the calls were made, and their report is not whole") from error
            if place not in broke:
                broke.append(place)
                with contextlib.suppress(Exception):
                    observer(Noted(f"  {what}"))

    return tell
