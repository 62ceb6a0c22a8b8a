"""Looking for the edge: a rate is offered, settles, is measured, and the search says which comes next."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from harness.core.clock import Clock
from harness.load.analysis.arrival_steps import ArrivalStep
from harness.load.analysis.health import Health
from harness.load.analysis.reasons import SeenInStep
from harness.load.analysis.schedule import arrivals
from harness.load.analysis.search import Search
from harness.load.analysis.slo import Slo, Window, nearest_rank
from harness.load.analysis.steps import LoadStep
from harness.load.arrivals.arriving import Arriving, Tally
from harness.load.arrivals.metering import Metering
from harness.load.arrivals.releasing import Releasing
from harness.load.arrivals.talking import Talking
from harness.load.arrivals.watching import Watching

CALM_SECONDS = 1.0  # without an offer, after a step that broke
FEWEST = 20  # offers in a step, for a p95: a slow rate is measured for longer
WORTH_SHOWING = 0.5  # s between two lines of status


@dataclass(frozen=True)
class ArrivalPace:
    """How a step goes: seconds of its ramp, of settling after it, and of measuring; how offers are spaced."""

    spacing: str
    size: int
    ramp: float
    settle: float
    measure: float


@dataclass(frozen=True)
class Climbing:
    """Everything that a step needs."""

    arriving: Arriving
    watching: Watching
    metering: Metering
    releasing: Releasing
    talking: Talking | None
    pace: ArrivalPace
    slos: tuple[Slo, ...]
    slos_of_talk: tuple[Slo, ...]
    rng: random.Random
    clock: Clock
    on_step: Callable[[ArrivalStep], None]
    on_status: Callable[[str], None]

    async def climb(self, search: Search) -> None:
        """Step by step until nothing is left to ask. Each step is told as soon as it is over."""
        while not search.done:
            step = await self._step(search.level)
            self.on_step(step)
            match step.outcome:
                case "saturated":
                    search.too_many_for_us()
                case "inconclusive":
                    return
                case outcome:
                    search.learned(held=outcome == "held")
            await self.releasing.settled()
            if step.outcome != "held":
                await asyncio.sleep(CALM_SECONDS)

    async def _step(self, rate: int) -> ArrivalStep:
        pace = self.pace
        before = pace.ramp + pace.settle
        measure = max(pace.measure, FEWEST / rate)
        times = arrivals(pace.spacing, rate, before + measure, self.rng, size=pace.size, ramp=pace.ramp)
        began = self.clock.now()
        beginning = asyncio.get_running_loop().call_later(before, self._begin)
        self.on_status(f"  {rate} offers a second for {before + measure:.0f} s")
        try:
            tally = await self.arriving.offer(times, before)
        finally:
            beginning.cancel()
        since = began + before
        health = self.metering.taken(self.talking)
        if tally.unsent:
            health.saturated = health.saturated or (
                f"{tally.unsent} offers could not be sent: {tally.most_waiting} waited for answers, and no "
                "descriptor was left (ulimit -n)"
            )
        seconds = max(self.clock.now() - since, 0.001)
        offers = LoadStep(rate, seconds, tally.window(), health, self.slos, tally.failures)
        return ArrivalStep(rate, offers, self._seen(rate, tally, seconds), self._talk(rate, since, seconds))

    def _begin(self) -> None:
        self.watching.restart()
        self.metering.restart(self.talking)

    def _seen(self, rate: int, tally: Tally, seconds: float) -> SeenInStep:
        work = nearest_rank(tally.at_work, 50)
        return SeenInStep(
            offered=rate,
            answered=(len(tally.seconds) + tally.untimed) / seconds,
            seconds=seconds,
            offers=tally.due,
            work_ms=None if work is None else 1000 * work,
            door_ms=self.watching.door_ms,
            statuses=dict(tally.statuses),
            told_when=dict(tally.told_when),
            cpu=self.watching.cpu,
            rss=tuple(self.watching.rss),
            waiting=tally.most_waiting,
        )

    def _talk(self, rate: int, since: float, seconds: float) -> LoadStep | None:
        if self.talking is None:
            return None
        window: Window = self.talking.window(since)
        return LoadStep(rate, seconds, window, Health(), self.slos_of_talk, self.talking.failures(since))
