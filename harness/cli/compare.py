"""`harness compare`: what got worse from one run to another."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness.cli.screen import say
from harness.core.exit_codes import CONFORMING, VIOLATING
from harness.report.comparison import Comparison, Shift, as_lines
from harness.report.comparison import compare as compare_runs
from harness.report.saved import read_run

RUN = click.Path(path_type=Path)


@click.command()
@click.argument("a", type=RUN)
@click.argument("b", type=RUN)
@click.option("--json", "as_json", is_flag=True, help="print one JSON document instead of lines")
def compare(a: Path, b: Path, as_json: bool) -> int:
    """Say what got worse from run A to run B beyond noise: exit 1 if anything did.

    A and B are results.json files, or the directories of runs. Runs of another target, mode, fixture set or
    impairment are refused.
    """
    comparison = compare_runs(read_run(a), read_run(b))
    if as_json:
        say(json.dumps(_as_json(comparison), indent=1, ensure_ascii=False))
    else:
        say("\n".join(as_lines(comparison)))
    return VIOLATING if comparison.worse else CONFORMING


def _as_json(comparison: Comparison) -> dict[str, object]:
    def entry(change: object) -> dict[str, object]:
        kind = "measurement" if isinstance(change, Shift) else "requirement"
        return {"kind": kind, "change": str(change)}

    return {
        "worse": [entry(change) for change in comparison.worse],
        "better": [entry(change) for change in comparison.better],
        "too_few": list(comparison.too_few),
        "notes": list(comparison.notes),
    }
