"""docs/transports.md and its drawing, from calls that are made now: `make transports`, as root."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import platform
import signal
import sys
from pathlib import Path
from typing import Any

import uvloop

from harness.core.audio import percentile
from tools.transports.figures import Cells
from tools.transports.machines import missing
from tools.transports.networks import NETWORKS, WAYS
from tools.transports.page import page
from tools.transports.plot import drawing
from tools.transports.running import Found, in_turn, run

FIGURES = Path(__file__).with_name("transports.json")
DOCS = Path(__file__).parents[2] / "docs"
REPORTS = Path(__file__).parents[2] / "reports" / "transports"
PUBLISHED_FROM = 20  # calls a cell
KEPT = (
    *("setup_ms", "first_audio_ms", "second_audio_ms", "missing_ms", "gaps_heard_ms", "longest_gap_ms"),
    *("survived", "whole_turns", "errors", "released", "ended", "seconds", "cpu_ms"),
    *(f"{what}_{way}" for what in ("bytes", "packets", "lost") for way in ("up", "down")),
)


def document(found: Found, *, side_by_side: int, seed: int) -> dict[str, Any]:
    """What is kept of a run."""
    cells: dict[str, dict[str, list[Any]]] = {}
    for network in NETWORKS:
        for planned, figures in found.calls:
            if planned.network == network:
                ways = cells.setdefault(network, {way: [] for way in WAYS})
                ways[planned.way].append({name: figures[name] for name in KEPT})
    late = [late for _, figures in found.calls for late in figures["lateness_p99_ms"].values()]
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "run": {
            "side_by_side": side_by_side,
            "seed": seed,
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "busy_percent": found.busy_percent,
            "lateness_p99_ms": {"median": percentile(late, 50), "most": max(late, default=0.0)},
            "spoilt": [[p.network, p.way, why] for p, why in found.spoilt],
            "given_up": len(found.given_up),
        },
        "cells": cells,
    }


def written(found: dict[str, Any]) -> str:
    """JSON with a line for each call, so that a difference can be read."""
    calls = {
        f"@{network}/{way}/{n}@": json.dumps(call)
        for network, of in found["cells"].items()
        for way, each in of.items()
        for n, call in enumerate(each)
    }
    names = iter(calls)
    outline = {
        **found,
        "cells": {
            n: {w: [next(names) for _ in c] for w, c in of.items()} for n, of in found["cells"].items()
        },
    }
    text = json.dumps(outline, indent=1, ensure_ascii=False)
    for name, call in calls.items():
        text = text.replace(json.dumps(name), call)
    return text + "\n"


def publish(found: dict[str, Any], folder: Path) -> None:
    """The page and its drawing."""
    (folder / "transports.md").write_text(page(found), encoding="utf-8")
    (folder / "transports.svg").write_text(drawing(found["cells"]), encoding="utf-8")


def is_whole(cells: Cells) -> bool:
    """Whether each cell has enough calls to be published."""
    return set(cells) == set(NETWORKS) and all(
        len(calls) >= PUBLISHED_FROM for of in cells.values() for calls in of.values()
    )


async def _measured(options: argparse.Namespace, keep: Path | None) -> Found:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    planned = in_turn(options.network or list(NETWORKS), options.calls, options.seed)

    def tell(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    tell(f"{len(planned)} calls, {options.side_by_side} side by side")
    return await run(planned, places=options.side_by_side, seed=options.seed, tell=tell, keep=keep)


def main() -> None:
    """Make the calls, and write what came of them."""
    parser = argparse.ArgumentParser(prog="python -m tools.transports", description=__doc__)
    parser.add_argument("--calls", type=int, default=PUBLISHED_FROM, help="of each network and way")
    parser.add_argument("--side-by-side", type=int, default=6, help="calls (default: 6, for two cores)")
    parser.add_argument("--network", action="append", choices=list(NETWORKS), help="only these")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help=f"each call's timeline, in {REPORTS.name}/")
    options = parser.parse_args()
    if why := missing():
        sys.exit(f"transports.md is left as it is: {why}")
    REPORTS.mkdir(parents=True, exist_ok=True)
    try:
        found = uvloop.run(_measured(options, REPORTS if options.keep else None))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit("stopped: nothing is left running, and transports.md is as it was")
    except RuntimeError as failed:
        sys.exit(f"transports.md is left as it is: {failed}")
    made = document(found, side_by_side=options.side_by_side, seed=options.seed)
    (REPORTS / "latest.json").write_text(written(made), encoding="utf-8")
    publish(made, REPORTS)
    if not is_whole(made["cells"]):
        sys.exit(
            f"{REPORTS.name}/ has what was found; docs/ wants {PUBLISHED_FROM} calls of each network and way"
        )
    FIGURES.write_text(written(made), encoding="utf-8")
    publish(made, DOCS)


if __name__ == "__main__":
    main()
