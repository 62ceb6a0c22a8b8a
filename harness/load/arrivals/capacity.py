"""`harness capacity --arrivals`, in a process of its own: `python -m harness.load.arrivals.capacity`."""

from __future__ import annotations

import harness.run.quietly  # noqa: F401  (first: importing the rest takes a second)

# isort: split
import sys
from typing import Final

from harness.core.exit_codes import CONFORMING, INCONCLUSIVE, INTERRUPTED, VIOLATING
from harness.load.analysis.arrival_findings import as_json, plot
from harness.load.arrivals.searching import find_rate
from harness.load.asked import Asked
from harness.load.program import LoadEnding, run_program
from harness.load.terminal import Progress
from harness.platform.loop import run_loop

DOOR: Final = "capacity"


def _run(asked: Asked, progress: Progress) -> LoadEnding:
    findings = run_loop(find_rate(asked.url, asked.texts, asked.values, progress))
    code = {"holds": CONFORMING, "breaks": VIOLATING, "inconclusive": INCONCLUSIVE}[findings.verdict]
    return LoadEnding(
        name=DOOR,
        sentence=findings.sentence,
        code=INTERRUPTED if findings.interrupted else code,
        document=as_json(findings),
        plot=plot(findings),
        reports=asked.values["reports"],
        repeat=asked.again(findings.target.target, findings.seed),
    )


if __name__ == "__main__":
    sys.exit(run_program(DOOR, _run, sys.argv[1:]))
