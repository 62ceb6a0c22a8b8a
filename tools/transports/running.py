"""The run: every network both ways, in turn, so that both suffer the same machine, and all is counted."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from harness.core.clock import MonotonicClock
from tools.transports.networks import NETWORKS, WAYS
from tools.transports.place import open_place

ATTEMPTS = 4  # at a call that our own machine spoils
IDLE_SECONDS = 0.2
CLOCK = MonotonicClock()

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Planned:
    """One call. Both ways of a network have the same `turn`, and meet the same losses by its seed."""

    network: str
    way: str
    turn: int
    attempt: int = 1


@dataclass
class Found:
    """What came of the calls so far."""

    calls: list[tuple[Planned, dict[str, Any]]] = field(default_factory=list)
    spoilt: list[tuple[Planned, str]] = field(default_factory=list)
    given_up: list[Planned] = field(default_factory=list)
    busy_percent: float = 0.0  # of all cores, other programs included


def in_turn(networks: Sequence[str], calls: int, seed: int) -> list[Planned]:
    """Each turn has every cell once, in an order of its own."""
    rng = random.Random(seed)  # noqa: S311  (replayable on purpose)
    planned = []
    for turn in range(calls):
        cells = [Planned(network, way, turn) for network in networks for way in WAYS]
        rng.shuffle(cells)
        planned += cells
    return planned


async def run(planned: Sequence[Planned], *, places: int, seed: int, tell: Tell, keep: Path | None) -> Found:
    """Make the calls, so many side by side. Raises RuntimeError where no place can be had."""
    found, waiting, began = Found(), deque(planned), CLOCK.now()

    async def from_one_place() -> None:
        while not is_over():
            async with open_place() as place:
                place.prefer()
                for way in WAYS:  # what is loaded at a first use is no cost of a call
                    await place.call(way, NETWORKS["clean"], seed=seed, short=True)
                while not is_over():
                    if not waiting:  # for a call under way elsewhere, which may have to be made again
                        await asyncio.sleep(IDLE_SECONDS)
                        continue
                    call = waiting.popleft()
                    network = NETWORKS[call.network]
                    file = keep / f"{call.network}-{call.way}-{call.turn}.jsonl" if keep else ""
                    try:
                        figures = await place.call(
                            call.way, network, seed=seed + call.turn, keep=str(file).replace(" ", "-")
                        )
                    except RuntimeError as error:
                        told(call, str(error), None)
                        break  # its programs are in an unknown state: another place
                    told(call, figures["spoilt"], figures)

    def is_over() -> bool:
        return len(found.calls) + len(found.given_up) >= len(planned)

    def told(call: Planned, spoilt: str, figures: dict[str, Any] | None) -> None:
        if figures is not None and not spoilt:
            found.calls.append((call, figures))
        else:
            found.spoilt.append((call, spoilt))
            again = Planned(call.network, call.way, call.turn, call.attempt + 1)
            if again.attempt <= ATTEMPTS:
                waiting.append(again)
            else:
                found.given_up.append(call)
        done = len(found.calls) + len(found.given_up)
        left = (CLOCK.now() - began) / max(done, 1) * (len(planned) - done)
        what = f"SPOILT, {spoilt}" if spoilt else shown(figures or {})
        tell(f"{done:4d} of {len(planned)}, {left / 60:.0f} min left  {call.network}, {call.way}: {what}")

    psutil.cpu_percent()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(places):
                group.create_task(from_one_place())
    except ExceptionGroup as failed:
        first = failed.exceptions[0]
        raise RuntimeError(str(first) or type(first).__name__) from failed
    found.busy_percent = float(psutil.cpu_percent())
    return found


def shown(figures: dict[str, Any]) -> str:
    """The line of a call."""
    end = "" if figures["survived"] else f"; NOT SURVIVED: {figures['ended']}"
    return (
        f"set-up {figures['setup_ms']} ms, first audio {figures['first_audio_ms']} and "
        f"{figures['second_audio_ms']} ms, {figures['gaps_heard_ms']} ms of gaps{end}"
    )
