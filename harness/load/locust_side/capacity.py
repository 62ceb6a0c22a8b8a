"""`harness capacity`, in a process that belongs to Locust: `python -m harness.load.locust_side.capacity`."""

from __future__ import annotations

import harness.run.quietly  # noqa: F401  (first: importing the rest takes a second)

# isort: split
import sys

import locust  # noqa: F401  (first: it patches what everybody else imports)
import msgspec

from harness.core.clock import wall_time
from harness.core.errors import UsageError
from harness.load.analysis.findings import CapacityFindings, as_json, plot
from harness.load.analysis.search import Search
from harness.load.analysis.slo import read_slos
from harness.load.analysis.steps import LoadStep
from harness.load.locust_side.climb import ClimbingShape, Pace
from harness.load.locust_side.program import INCONCLUSIVE, INTERRUPTED, VIOLATING, LoadEnding, run_program
from harness.load.locust_side.repeating import repeat_command
from harness.load.locust_side.session import Asked, LoadSession
from harness.load.locust_side.terminal import Progress


class CapacityAsked(Asked, kw_only=True, forbid_unknown_fields=True):
    """`start`, `step`, `most`: calls. `at_least` is what the target must hold to pass. Seconds."""

    start: int = 5
    step: int = 10
    most: int = 200
    at_least: int = 1
    step_seconds: float = 30.0
    settle_seconds: float = 5.0


def find_capacity(asked: CapacityAsked, progress: Progress) -> CapacityFindings:
    """Climb until an objective breaks, and say where. Raises HarnessError where nothing could be learned."""
    slos = read_slos(asked.slos)
    if not 1 <= asked.start <= asked.most or asked.step < 1:
        raise UsageError("there is nothing to climb", "give --start, --step and --most of 1 or more")
    if asked.step_seconds <= 0 or asked.settle_seconds < 0:
        raise UsageError("a step must last", "give --step-seconds above 0")
    search = Search(asked.start, asked.step, asked.most)
    started_at = wall_time()
    with LoadSession(asked) as session:
        failure = session.first_call()
        assert session.ready is not None  # noqa: S101  (the call was made)
        progress.line(f"target {session.ready.target} ({session.ready.dialect}, {session.ready.mode})")
        progress.line(f"seed {session.options.seed}")
        shape = ClimbingShape(
            session,
            search,
            slos,
            Pace(asked.step_seconds, asked.settle_seconds),
            on_step=lambda step: progress.line(_line(step)),
            on_status=progress.status,
        )
        if failure:
            progress.line(f"  1 call: {failure}")
        elif not session.interrupted:
            session.run(shape)
        return CapacityFindings(
            target=session.ready,
            seed=session.options.seed,
            started_at=started_at,
            slos=slos,
            steps=tuple(shape.steps),
            holds=search.holds,
            breaks=1 if failure else search.breaks,
            most=asked.most,
            at_least=asked.at_least,
            first_failure=failure,
            interrupted=session.interrupted,
        )


def _line(step: LoadStep) -> str:
    late = step.health.pacing.percentile(99)
    return (
        f"  {step.calls} calls: {step.outcome}  {step.figures()}  "
        f"(generator: packets {'-' if late is None else f'{late:g}'} ms late at p99, "
        f"{100 * step.health.cpu:.0f} % of a core)"
    )


def _run(text: str, progress: Progress) -> LoadEnding:
    asked = msgspec.json.decode(text, type=CapacityAsked)
    found = find_capacity(asked, progress)
    code = {"holds": 0, "breaks": VIOLATING, "inconclusive": INCONCLUSIVE}[found.verdict]
    return LoadEnding(
        name="capacity",
        sentence=found.sentence,
        code=INTERRUPTED if found.interrupted else code,
        document=as_json(found),
        plot=plot(found),
        reports=asked.reports,
        repeat=repeat_command("capacity", asked, found.target.target if asked.url else "", found.seed),
    )


if __name__ == "__main__":
    sys.exit(run_program(_run, sys.argv[1:]))
