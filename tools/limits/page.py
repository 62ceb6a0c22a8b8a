"""What a run found, as docs/limits.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

FOUND = Path(__file__).with_name("limits.json")
TEMPLATE = Path(__file__).with_name("limits.md.in")
SPREAD, APART = 0.10, 0.15  # of three runs; between us and wrk
RUNS = 3


def spread(rates: Sequence[float]) -> float:
    """From the least to the most, as a part of the median."""
    return (max(rates) - min(rates)) / median(rates)


def misses(row: Mapping[str, Any]) -> list[str]:
    """What of a relay is not as it should be, in words; none where all is."""
    ours, theirs = row["holds"], row["wrk"]
    if len(ours) < RUNS or len(theirs) < RUNS or not all([*ours, *theirs]):
        return [*row["wrong"], f"{len([rate for rate in ours if rate])} of {RUNS} limits found"]
    said = list(row["wrong"])
    if spread(ours) > SPREAD:
        said.append(f"the runs are {100 * spread(ours):.0f} % apart")
    ratio = median(ours) / median(theirs)
    if abs(ratio - 1) > APART:
        said.append(f"{ratio:.2f} of what wrk found")
    return said


def page() -> str:
    """The template with the table of the last run."""
    return as_page(json.loads(FOUND.read_text(encoding="utf-8")))


def as_page(found: Mapping[str, Any]) -> str:
    """The same of a run's figures."""
    lines = ["| relay | ours, three runs | apart | wrk, three runs | ours to wrk | at the end of | |"]
    lines.append("|---|---|---|---|---|---|---|")
    for name, row in found["relays"].items():
        ours, theirs = row["holds"], row["wrk"]
        whole = len(ours) == len(theirs) == RUNS and all([*ours, *theirs])
        apart = f"{100 * spread(ours):.0f} %" if whole else "–"
        ratio = f"{median(ours) / median(theirs):.2f}" if whole else "–"
        wrong = misses(row)
        cells = (
            name,
            ", ".join(map(str, ours)),
            apart,
            ", ".join(f"{rate:.0f}" for rate in theirs),
            ratio,
            ", ".join(dict.fromkeys(row["reasons"])),
            f"**{'; '.join(wrong)}**" if wrong else "as it should be",
        )
        lines.append(f"| {' | '.join(cells)} |")
    table = "\n".join(lines) if found["relays"] else "Not measured yet: `make limits`."
    return TEMPLATE.read_text(encoding="utf-8").format(
        steps=found.get("steps", "steps of 5 s, the edge known to 5 %"),
        wrk_seconds=found.get("wrk_seconds", 5),
        when=f" on {found['date']}, on {found['machine']}" if found["relays"] else "",
        table=table,
    )
