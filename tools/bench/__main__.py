"""`make bench`: every figure side by side in one run; the table, and reports/bench/latest.json.

CPU is process time of the measured end alone. Its far end runs in another process on another core.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from harness.config.settings import read_settings
from harness.core.errors import UsageError
from harness.peer.native.library import build
from tools.bench import floor
from tools.bench.end_to_end import carried
from tools.bench.figures import FIGURES, table
from tools.bench.machine import Child, child, cores, interpreter, stolen
from tools.bench.pion_end import is_installed, pion

Figures = dict[str, float | None]  # None: what it takes is not installed

REPORT = Path("reports/bench/latest.json")
LATE_MS = 10.0  # p99 of the pacing
OFFER_LATE_MS = 40.0  # p99, as load allows by default
TRIES = 3  # of a number of calls: a host that takes the core away for 100 ms spoils eight seconds
PART_SECONDS = 240.0


@dataclass(frozen=True)
class Sizes:
    """How much is measured. The climbs try each number of calls until one is not carried."""

    plain: int = 12
    few: int = 50
    usual: int = 200  # in one process under load; plain aiortc's dozen is what fits it
    many: int = 400
    climb: tuple[int, ...] = (160, 240, 320, 400, 480, 640, 800)
    seconds: float = 8.0
    set_ups: int = 40
    rounds: int = 3
    offers: tuple[int, ...] = (1000, 1500, 2000, 2500, 3000, 3500)
    offers_seconds: float = 4.0
    end_to_end: tuple[int, ...] = (100, 200, 240)
    end_to_end_seconds: float = 20.0


async def talking(engine: Child, calls: int, sizes: Sizes) -> dict[str, Any]:
    """What so many calls cost."""
    return await engine.ask({"calls": calls, "seconds": sizes.seconds}, PART_SECONDS)


async def compared(sizes: Sizes) -> tuple[Figures, dict[str, str]]:
    """Plain aiortc, ours and the floor in turns, so that the machine's moods meet all three alike."""
    near, far = cores()
    plain_ms, ours_ms, floor_ms, plain_up, ours_up, memory = [], [], [], [], [], []
    module = "tools.bench.near_end"
    async with (
        child(module, "plain", str(far), core=near) as plain,
        child(module, "ours", str(far), core=near) as ours,
    ):
        for _ in range(sizes.rounds):
            plain_ms.append((await talking(plain, sizes.plain, sizes))["cpu_ms_per_call_second"])
            usual = await talking(ours, sizes.usual, sizes)
            ours_ms.append(usual["cpu_ms_per_call_second"])
            memory.append(usual["mib_per_call"])
            floor_ms.append(await asyncio.to_thread(floor.cpu_ms_per_call_second))
            plain_up.append((await plain.ask({"churn": sizes.set_ups}, PART_SECONDS))["set_up_cpu_ms"])
            ours_up.append((await ours.ask({"churn": sizes.set_ups}, PART_SECONDS))["set_up_cpu_ms"])
    figures: Figures = {
        "plain_over_ours": _ratio(plain_ms, ours_ms),
        "ours_over_floor": _ratio(ours_ms, floor_ms),
        "setup_plain_over_ours": _ratio(plain_up, ours_up),
        "mib_per_call": max(memory),
    }
    absolutes = {
        f"plain aiortc, CPU of a call-second, {sizes.plain} calls": f"{median(plain_ms):.2f} ms",
        f"ours, {sizes.usual} calls": f"{median(ours_ms):.2f} ms",
        "the floor": f"{median(floor_ms):.2f} ms",
        "plain aiortc, CPU to set up a call": f"{median(plain_up):.2f} ms",
        "ours, to set up a call": f"{median(ours_up):.2f} ms",
    }
    return figures, absolutes


async def one_core(sizes: Sizes) -> tuple[Figures, dict[str, str]]:
    """How many calls one core carries, and whether many cost more each than few do."""
    near, far = cores()
    carried_calls, absolutes, growths = 0, {}, []
    async with child("tools.bench.near_end", "ours", str(far), core=near) as ours:
        for _ in range(sizes.rounds):
            few = await talking(ours, sizes.few, sizes)
            many = await talking(ours, sizes.many, sizes)
            growths.append(many["cpu_ms_per_call_second"] / few["cpu_ms_per_call_second"])
        for calls in sizes.climb:
            tried = []
            for _ in range(TRIES):
                began = stolen(near)
                found = await talking(ours, calls, sizes)
                taken = stolen(near) - began
                lost = found["lost"] + found["lost_far"]
                tried.append(
                    f"{100 * found['core_share']:.0f} %, p99 {found['late_p99_ms']:.1f} ms, {lost} lost, "
                    f"{1000 * taken:.0f} ms taken by the host"
                )
                if found["late_p99_ms"] < LATE_MS and not lost:
                    carried_calls = calls
                    break
            absolutes[f"{calls} calls on one core"] = "; again: ".join(tried)
            if carried_calls != calls:
                break
    return {"calls_per_core": carried_calls, "growth": median(growths)}, absolutes


async def all_of_it(sizes: Sizes) -> tuple[Figures, dict[str, str]]:
    """How many calls this machine carries with everything on it."""
    carried_calls, absolutes = 0, {}
    for calls in sizes.end_to_end:
        tried = []
        for _ in range(TRIES):
            found = await carried(calls, sizes.end_to_end_seconds)
            tried.append(
                f"{found.turns} turns, {found.failures} failures, the generator "
                + ("kept up" if found.kept_up else "was late by its own limits")
            )
            sys.stderr.write(f"{calls} calls end to end: {found.generator}\n")
            for failure, times in found.why.items():
                sys.stderr.write(f"  {times} times {failure}\n")
            if found.holds:
                carried_calls = calls
                break
        absolutes[f"{calls} calls end to end"] = "; again: ".join(tried)
        if carried_calls != calls:
            break
    return {"calls_end_to_end": carried_calls}, absolutes


async def beside_pion(sizes: Sizes) -> tuple[Figures, dict[str, str]]:
    """Ours and Pion in turns, with the same far end; null where Pion is not installed."""
    if not is_installed():
        missing = "not installed (Debian: golang-go, golang-github-pion-webrtc.v3-dev)"
        return {"ours_over_pion": None, "setup_ours_over_pion": None}, {"Pion": missing}
    near, far = cores()
    ours_ms: list[float] = []
    pion_ms: list[float] = []
    ours_up: list[float] = []
    pion_up: list[float] = []
    async with child("tools.bench.near_end", "ours", str(far), core=near) as ours, pion(near, far) as theirs:
        for _ in range(sizes.rounds):
            for engine, ms, up in ((ours, ours_ms, ours_up), (theirs, pion_ms, pion_up)):
                ms.append((await talking(engine, sizes.usual, sizes))["cpu_ms_per_call_second"])
                up.append((await engine.ask({"churn": sizes.set_ups}, PART_SECONDS))["set_up_cpu_ms"])
    figures: Figures = {
        "ours_over_pion": _ratio(ours_ms, pion_ms),
        "setup_ours_over_pion": _ratio(ours_up, pion_up),
    }
    return figures, {
        f"ours beside Pion, {sizes.usual} calls": f"{median(ours_ms):.2f} ms",
        f"Pion, {sizes.usual} calls": f"{median(pion_ms):.2f} ms",
        "ours beside Pion, to set up a call": f"{median(ours_up):.2f} ms",
        "Pion, to set up a call": f"{median(pion_up):.2f} ms",
    }


async def offers(sizes: Sizes) -> tuple[Figures, dict[str, str]]:
    """How many offers a second one core sends on time, at a relay that only answers on the other."""
    near, far = cores()
    held, absolutes = 0, {}
    async with (
        child("tools.bench.offers_near", core=near) as sending,
        child("tools.bench.offers_far", core=far) as relay,
    ):
        url = (await relay.ask({"where": True}))["url"]
        for rate in sizes.offers:
            tried = []
            for _ in range(TRIES):
                asked = {"url": url, "rate": rate, "seconds": sizes.offers_seconds}
                found = await sending.ask(asked, PART_SECONDS)
                tried.append(
                    f"{found['answered']} of {found['due']}, p99 {found['late_p99_ms']:.1f} ms late, "
                    f"{found['cpu_ms_per_offer']:.2f} ms each"
                )
                if found["answered"] == found["due"] and found["late_p99_ms"] < OFFER_LATE_MS:
                    held = rate
                    break
            absolutes[f"{rate} offers a second"] = "; again: ".join(tried)
            if held != rate:
                break
    return {"offers_per_second": held}, absolutes


def packet_path() -> str:
    """Which of the two is measured: the one in C where it can be built, unless HARNESS_NATIVE=false."""
    if not read_settings().native:
        return "Python (HARNESS_NATIVE=false)"
    try:
        build()
    except UsageError as error:
        return f"Python ({error})"
    return "C"


PARTS = {
    "compared": compared,
    "pion": beside_pion,
    "one-core": one_core,
    "offers": offers,
    "end-to-end": all_of_it,
}


async def run(sizes: Sizes, parts: Iterable[str] = PARTS) -> tuple[Figures, dict[str, str]]:
    """The figures, and the absolute numbers behind them."""
    figures: Figures = {}
    floor_ms = await asyncio.to_thread(floor.cpu_ms_per_call_second)
    absolutes = {
        "load of the machine before": f"{os.getloadavg()[0]:.1f}",
        "the floor before": f"{floor_ms:.2f} ms; {floor.WHERE_BARS_WERE_SET} ms where the bars were set",
        "Python": interpreter(),
        "packet path": packet_path(),
    }
    for part in parts:
        found, behind = await PARTS[part](sizes)
        figures |= found
        absolutes |= behind
    return figures, absolutes


def write(figures: Figures, absolutes: dict[str, str], to: Path = REPORT) -> None:
    """The table on standard output, the figures as JSON."""
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(json.dumps({"figures": figures, "absolutes": absolutes}, indent=2) + "\n")
    sys.stdout.write("\n".join(table(figures, absolutes)) + f"\n\n{to}\n")


def _ratio(above: list[float], below: list[float]) -> float:
    """The median over the rounds, each of whose parts were measured next to each other."""
    return median(a / b for a, b in zip(above, below, strict=True))


def main() -> int:
    """Parts by name, or all; 1 where a figure misses its bar, 2 where there is no such part."""
    if unknown := set(sys.argv[1:]) - set(PARTS):
        sys.stderr.write(f"no part is named {', '.join(sorted(unknown))}: choose of {', '.join(PARTS)}\n")
        return 2
    figures, absolutes = uvloop.run(run(Sizes(), sys.argv[1:] or PARTS))
    write(figures, absolutes)
    known = {key: value for key, value in figures.items() if value is not None}
    return int(any(f.key in known and not f.holds(known[f.key]) for f in FIGURES))


if __name__ == "__main__":
    sys.exit(main())
