"""What is said of a load of offers beside its rates: what was released, judged, and reached the fake."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.fakes.openai.record import MOST_NAMES
from harness.load.arrivals.answers import NOT_ACCEPTED
from harness.load.arrivals.opening import OfferLoad, counted
from harness.platform.signals import INTERRUPTING, handled


@dataclass(frozen=True)
class Conclusion:
    """`beside`: sentences; `violating`: whether one of them is a finding; `also`: for the report."""

    beside: tuple[str, ...] = ()
    violating: bool = False
    also: dict[str, Any] = field(default_factory=dict)


async def conclude(load: OfferLoad, wrong: Counter[str]) -> Conclusion:
    """Of every offer, those of settling among them. `wrong`: failures of samples, how often each."""
    arriving, releasing, sampling = load.arriving, load.releasing, load.sampling
    also: dict[str, Any] = {
        "offers": arriving.begun,
        "refused": {
            failure: count
            for (_, failure), count in arriving.exposed.failures.items()
            if failure.startswith(NOT_ACCEPTED)
        },
        "release": releasing.as_json(),
        "samples": {"judged": sampling.judged, "failures": dict(wrong)},
    }
    beside = [
        f"of {sampling.judged} answers that were judged in full {count} failed {failure}"
        for failure, count in wrong.most_common()
    ]
    violating = bool(beside)
    if said := str(releasing):
        beside.append(said)
    after = await counted(load.fake)
    if load.before is not None and after is not None:
        offers, names = after[0] - load.before[0], after[1] - load.before[1]
        also["fake"] = {"offers": offers, "distinct_ufrags": names, "live": after[2]}
        if names < releasing.accepted_count and after[1] < MOST_NAMES:
            violating = True
            beside.append(
                f"{releasing.accepted_count} offers were accepted, and only {names} different ones reached "
                "the fake: some answers came from elsewhere, as from a cache"
            )
    return Conclusion(tuple(beside), violating, also)


@contextlib.contextmanager
def ending(task: asyncio.Task[None]) -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP end the load, and what was learned is kept."""
    with handled(asyncio.get_running_loop(), INTERRUPTING, task.cancel):
        yield
