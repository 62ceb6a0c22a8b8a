"""`harness capacity --arrivals`, in a process of its own: `python -m harness.load.arrivals`."""

from __future__ import annotations

import harness.run.quietly  # noqa: F401  (first: importing the rest takes a second)

# isort: split
import json
import shlex
import sys
from typing import Final

from harness.config.loop import run_loop
from harness.config.option_texts import in_words, read_options
from harness.core.exit_codes import CONFORMING, INCONCLUSIVE, INTERRUPTED, VIOLATING
from harness.load.analysis.arrival_findings import as_json, plot
from harness.load.arrivals.searching import find_rate
from harness.load.program import LoadEnding, run_program
from harness.load.terminal import Progress

DOOR: Final = "capacity"


def _run(text: str, progress: Progress) -> LoadEnding:
    found = json.loads(text)
    url, texts = found["url"], found["texts"]
    values = read_options(DOOR, texts)
    findings = run_loop(find_rate(url, texts, values, progress))
    code = {"holds": CONFORMING, "breaks": VIOLATING, "inconclusive": INCONCLUSIVE}[findings.verdict]
    words = ["harness", DOOR, *([findings.target.target] if url else []), *in_words(DOOR, texts)]
    return LoadEnding(
        name=DOOR,
        sentence=findings.sentence,
        code=INTERRUPTED if findings.interrupted else code,
        document=as_json(findings),
        plot=plot(findings),
        reports=values["reports"],
        repeat=shlex.join([*words, "--seed", str(findings.seed)]),
    )


if __name__ == "__main__":
    sys.exit(run_program(_run, sys.argv[1:]))
