"""`harness capacity`, in a process that belongs to Locust: `python -m harness.load.locust_side.capacity`."""

from __future__ import annotations

import harness.run.quietly  # noqa: F401  (first: importing the rest takes a second)

# isort: split
import sys

import locust  # noqa: F401  (first: it patches what everybody else imports)

from harness.core.clock import wall_time
from harness.core.errors import UsageError
from harness.core.exit_codes import CONFORMING, INCONCLUSIVE, INTERRUPTED, VIOLATING
from harness.load.analysis.findings import CapacityFindings, as_json, plot
from harness.load.analysis.over_time import over_time
from harness.load.analysis.search import Search
from harness.load.analysis.steps import LoadStep
from harness.load.asked import Asked
from harness.load.locust_side.climb import ClimbingShape, Pace
from harness.load.locust_side.options import checked_slos
from harness.load.locust_side.session import LoadSession
from harness.load.program import LoadEnding, run_program
from harness.load.terminal import Progress

START, STEP, MOST = 5, 10, 200  # calls


def find_capacity(asked: Asked, progress: Progress) -> CapacityFindings:
    """Climb until an objective breaks, and say where. Raises HarnessError where nothing could be learned."""
    values = asked.values
    slos = checked_slos(values["slos"], or_default=True)
    start, step, most = values["start"] or START, values["step"] or STEP, values["most"] or MOST
    if start > most:
        raise UsageError(f"--start {start} is beyond --most {most}", "begin with fewer calls")
    search = Search(start, step, most)
    started_at = wall_time()
    with LoadSession(asked) as session:
        failure = session.first_call()
        assert session.ready is not None  # noqa: S101  (the call was made)
        progress.line(f"target {session.ready.target} ({session.ready.dialect}, {session.ready.mode})")
        progress.line(f"seed {int(session.options.seed)}")
        shape = ClimbingShape(
            session,
            search,
            slos,
            Pace(values["step_seconds"], values["settle_seconds"]),
            on_step=lambda step: progress.line(_line(step)),
            on_status=progress.status,
        )
        if failure:
            progress.line(f"  1 call: {failure}")
        elif not session.interrupted:
            session.run(shape)
        return CapacityFindings(
            target=session.ready,
            seed=int(session.options.seed),
            started_at=started_at,
            slos=slos,
            steps=tuple(shape.steps),
            holds=search.holds,
            breaks=1 if failure else search.breaks,
            most=most,
            at_least=values["at_least"],
            first_failure=failure,
            interrupted=session.interrupted,
            broke=session.broke,
            over_time=over_time(session.recorder, shape.begun, session.clock.now()),
        )


def _line(step: LoadStep) -> str:
    late = step.health.pacing.percentile(99)
    return (
        f"  {step.calls} calls: {step.outcome}  {step.figures()}  "
        f"(generator: packets {'-' if late is None else f'{late:g}'} ms late at p99, "
        f"{100 * step.health.cpu:.0f} % of a core)"
    )


def _run(asked: Asked, progress: Progress) -> LoadEnding:
    found = find_capacity(asked, progress)
    code = {"holds": CONFORMING, "breaks": VIOLATING, "inconclusive": INCONCLUSIVE}[found.verdict]
    return LoadEnding(
        name="capacity",
        sentence=found.sentence,
        code=INTERRUPTED if found.interrupted else code,
        document=as_json(found),
        plot=plot(found),
        reports=asked.values["reports"],
        repeat=asked.again(found.target.target, found.seed),
    )


if __name__ == "__main__":
    sys.exit(run_program("capacity", _run, sys.argv[1:]))
