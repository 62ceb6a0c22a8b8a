"""Which kind of caller makes which scenario, from real runs: `python -m tools.callers` writes a table.

Each scenario of scenarios/ is called by each kind through the embedded pair. A call is *made* where its plan
ran to its end, *not applicable* with the reason of `core/callers.py` where its kind cannot do it; whatever
else it came to is said as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import click
import uvloop

import scenarios
from harness.call import Scenario
from harness.config.run import run_settings
from harness.core.callers import CALLERS
from harness.core.clock import MonotonicClock, wall_time
from harness.core.events import CallEnded, HarnessFailed, VerbUnavailable
from harness.core.timeline import Timeline
from harness.requirements import REGISTRY, Outcome
from harness.run.engine import Planned, execute
from harness.run.model import Run
from harness.run.stream import Happening

TO_ITS_END = "the scenario ran to its end"
SIDE_BY_SIDE = 6
INTRODUCTION = """\
# Who makes which scenario

By `python -m tools.callers`: real calls of each scenario by each kind of caller (`--caller KIND`), through
the embedded relay and fake. A number stands for a reason why a kind cannot make it. The scenarios of a page
mean nothing to kinds without one.
"""


def every_one() -> list[Scenario]:
    """Those of scenarios/, whoever they are for."""
    modules = [import_module(f"scenarios.{module.name}") for module in iter_modules(scenarios.__path__)]
    return [each for module in modules for each in vars(module).values() if isinstance(each, Scenario)]


def cell(scenario: Scenario, timeline: Timeline) -> str:
    """What became of one call."""
    if (unavailable := timeline.first(VerbUnavailable)) is not None:
        return f"not applicable: {unavailable.reason}"
    if (failed := timeline.first(HarnessFailed)) is not None:
        return f"the harness failed: {failed.error}"
    ended = timeline.last(CallEnded)
    reason = ended.reason if ended else "it never ended"
    # A page that is refused a microphone, or whose channel stays silent, comes to no more by intent.
    meant = scenario.callers and reason.startswith(("the page was refused", "the data channel did not open"))
    return "made" if reason == TO_ITS_END or meant else reason


async def found_with(kind: str, seed: int) -> dict[str, Any]:
    """Every scenario by one kind, side by side as pytest makes them."""
    chosen = [each for each in every_one() if not each.callers or kind in each.callers]
    planned = [Planned(s, tuple(REGISTRY.select(ids=s.requirements, areas=s.areas))) for s in chosen]
    clock = MonotonicClock()
    began = clock.now()

    def quiet(happening: Happening) -> None:
        del happening

    run: Run = await execute(run_settings(caller=kind, seed=seed, concurrency=SIDE_BY_SIDE), planned, quiet)
    by_name = {each.name: each for each in chosen}
    told: dict[str, list[str]] = {}
    for call in run.calls:
        told.setdefault(call.scenario, []).append(cell(by_name[call.scenario], call.timeline))
    # A scenario may make several calls, of which the one that it ends with says that it was made.
    cells = {name: "made" if "made" in said else said[0] for name, said in told.items()}
    outcomes = Counter(verdict.outcome.value for verdict in run.verdicts)
    return {
        "seconds": round(clock.now() - began),
        "measured_on": wall_time()[:10],
        "outcomes": dict(sorted(outcomes.items())),
        "found": sorted(
            {f"{v.id}: {v.cause}" for v in run.verdicts if v.outcome in (Outcome.FAILED, Outcome.WARNED)}
        ),
        "cells": cells,
    }


def page(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The table, with its reasons."""
    kinds = [kind for kind in CALLERS if kind in found]
    reasons: list[str] = []
    lines = [INTRODUCTION, "| scenario | " + " | ".join(kinds) + " |", "|---|" + "---|" * len(kinds)]
    for scenario in every_one():
        cells = [_told(found[kind]["cells"].get(scenario.name, ""), reasons) for kind in kinds]
        lines.append(f"| {scenario.name} | " + " | ".join(cells) + " |")
    for name, of in (("seconds for all", "seconds"), ("measured on", "measured_on")):
        lines.append(f"| *{name}* | " + " | ".join(f"*{found[kind][of]}*" for kind in kinds) + " |")
    lines += ["", *(f"{number}. {reason}" for number, reason in enumerate(reasons, start=1))]
    for kind in kinds:
        told = ", ".join(f"{count} {outcome}" for outcome, count in found[kind]["outcomes"].items())
        lines += ["", f"**{kind}**, {CALLERS[kind].what}: {told}."]
    return "\n".join(lines) + "\n"


def _told(said: str, reasons: list[str]) -> str:
    if not said.startswith("not applicable: "):
        return said.replace("|", "\\|")
    reason = said.removeprefix("not applicable: ")
    if reason not in reasons:
        reasons.append(reason)
    return f"n/a ({reasons.index(reason) + 1})"


@click.command()
@click.argument("kinds", nargs=-1, type=click.Choice(list(CALLERS)))
@click.option("--seed", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("docs/callers.md"), show_default=True)
def main(kinds: Sequence[str], seed: int, out: Path) -> None:
    """Call with these kinds (all by default), and write what came of it."""
    found: dict[str, dict[str, Any]] = {}
    out.parent.mkdir(parents=True, exist_ok=True)
    for kind in kinds or CALLERS:
        found[kind] = uvloop.run(found_with(kind, seed))
        told = Counter(said.partition(":")[0] for said in found[kind]["cells"].values())
        click.echo(f"{kind}: {dict(told)} in {found[kind]['seconds']} s; found: {found[kind]['found']}")
        out.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
