"""What a run found, as it is kept, and the pages that are made of it."""

from __future__ import annotations

import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

from harness.core.audio import percentile
from tools.transports.figures import Cells
from tools.transports.networks import NETWORKS, PUBLISHED_FROM, WAYS
from tools.transports.page import page
from tools.transports.plot import drawing
from tools.transports.running import Found

FIGURES = Path(__file__).with_name("transports.json")
KEPT = (
    *("setup_ms", "first_audio_ms", "second_audio_ms", "missing_ms", "gaps_heard_ms", "longest_gap_ms"),
    *("survived", "whole_turns", "errors", "released", "heard_s", "ended", "seconds", "cpu_ms"),
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


def pages(figures: Path = FIGURES) -> dict[str, str]:
    """The page and its drawing, by file name."""
    found = json.loads(figures.read_text(encoding="utf-8"))
    return {"transports.md": page(found), "transports.svg": drawing(found["cells"])}


def is_whole(cells: Cells) -> bool:
    """Whether each cell has enough calls to be published."""
    return set(cells) == set(NETWORKS) and all(
        len(calls) >= PUBLISHED_FROM for of in cells.values() for calls in of.values()
    )
