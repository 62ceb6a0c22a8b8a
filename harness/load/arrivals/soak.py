"""`harness soak --arrivals`, in a process of its own: `python -m harness.load.arrivals.soak`."""

from __future__ import annotations

import harness.run.quietly  # noqa: F401  (first: importing the rest takes a second)

# isort: split
import sys
from typing import Final

from harness.core.exit_codes import CONFORMING, INCONCLUSIVE, INTERRUPTED, VIOLATING
from harness.load.analysis.drift import as_json, plot
from harness.load.arrivals.soaking import hold_rate
from harness.load.asked import Asked
from harness.load.program import LoadEnding, run_program
from harness.load.terminal import Progress
from harness.platform.loop import run_loop

DOOR: Final = "soak"


def _run(asked: Asked, progress: Progress) -> LoadEnding:
    found = run_loop(hold_rate(asked.url, asked.texts, asked.values, progress))
    code = {"steady": CONFORMING, "violating": VIOLATING}.get(found.verdict, INCONCLUSIVE)
    return LoadEnding(
        name=DOOR,
        sentence=found.sentence,
        code=INTERRUPTED if found.interrupted else code,
        document=as_json(found),
        plot=plot(found),
        reports=asked.values["reports"],
        repeat=asked.again(found.target.target, found.seed),
    )


if __name__ == "__main__":
    sys.exit(run_program(DOOR, _run, sys.argv[1:]))
