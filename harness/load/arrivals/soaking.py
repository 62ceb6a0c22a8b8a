"""A soak by offers alone: a steady rate for long, looked at so often, and what drifts in it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import psutil

from harness.call.own_servers import OwnServerEndedError
from harness.config.asking import settings_of
from harness.config.options import HIGHEST_SEED
from harness.config.run import RunSettings
from harness.core.audio import percentile
from harness.core.clock import wall_time
from harness.load.analysis.arrival_findings import UNIT
from harness.load.analysis.drift import LIVE, MIB, TAIL, Sample, SoakFindings
from harness.load.analysis.health import Health
from harness.load.analysis.lateness import Lateness
from harness.load.analysis.rows import ROWS, SDP_POST
from harness.load.analysis.schedule import arrivals
from harness.load.analysis.slo import CountedWindow, Slo, SloValue, Window, nearest_rank
from harness.load.arrivals.arriving import Tally
from harness.load.arrivals.concluding import Conclusion, conclude, ending
from harness.load.arrivals.opening import OfferLoad, counted, talking_beside
from harness.load.arrivals.searching import slos_of
from harness.load.arrivals.talking import Talking
from harness.load.messages import Ready
from harness.load.terminal import Progress
from harness.platform.descriptors import open_descriptors

SAMPLES_WANTED = 60
SHORTEST_SAMPLE, LONGEST_SAMPLE = 1.0, 60.0  # s
FAILS_WITHIN = 1.0  # s: so much earlier than we saw that a process of ours had ended, offers may have failed
FEWEST_FOR_TAIL = 20  # offers in a stretch


@dataclass
class Stretches:
    """The run in stretches of `every` seconds, each with the offers that were due in it.

    A stretch is condensed once no answer to it can come any more: hours of single values would be a leak.
    """

    every: float
    tallies: dict[int, Tally] = field(default_factory=dict)
    condensed: dict[int, tuple[Window, dict[str, float | None]]] = field(default_factory=dict)
    times: Lateness = field(default_factory=Lateness)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    unsent: int = 0

    def tally(self, at: float) -> Tally:
        """Of what is due `at` seconds after the beginning."""
        return self.tallies.setdefault(int(at // self.every), Tally())

    def condense(self, before: float = float("inf")) -> None:
        """Of the stretches that ended by then, keep what is told of them."""
        for number in [n for n in self.tallies if (n + 1) * self.every <= before]:
            tally = self.tallies.pop(number)
            milliseconds = [1000 * seconds for seconds in tally.seconds]
            self.times.add(milliseconds)
            self.failures += tally.failures
            self.unsent += tally.unsent
            window = tally.window()
            enough = len(milliseconds) >= FEWEST_FOR_TAIL
            self.condensed[number] = (
                Window({}, window.calls, window.failed),
                {
                    SDP_POST: percentile(milliseconds, 50),
                    TAIL: nearest_rank(milliseconds, 95) if enough else None,
                },
            )

    def forget(self, since: float) -> None:
        """What was due from then on, or in the same stretch, counts for nothing."""
        for number in [n for n in self.tallies if (n + 1) * self.every > since]:
            del self.tallies[number]

    def whole(self) -> CountedWindow:
        """All that was condensed, together."""
        windows = [window for window, _ in self.condensed.values()]
        calls, failed = sum(w.calls for w in windows), sum(w.failed for w in windows)
        return CountedWindow({}, calls, failed, {SDP_POST: self.times} if self.times else {})


@dataclass
class Held:
    """What has been learned so far, kept whatever ends the soak. `looks`: by stretch, what was seen then."""

    stretches: Stretches
    ready: Ready = field(default_factory=lambda: Ready(target="", dialect="", mode=""))
    first_failure: str = ""
    seconds: float = 0.0
    looks: dict[int, dict[str, float | None]] = field(default_factory=dict)
    health: Health = field(default_factory=Health)
    slos_of_talk: tuple[SloValue, ...] = ()
    talk_failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    conclusion: Conclusion = field(default_factory=Conclusion)
    broke: str = ""  # why a process of ours ended

    def samples(self) -> tuple[Sample, ...]:
        """Each whole stretch, with what was seen at its end. An unfinished one at the end has no look."""
        every = self.stretches.every
        nothing: tuple[Window, dict[str, float | None]] = (Window({}, 0, 0), {})
        return tuple(
            Sample((number + 1) * every, {**look, **values}, window)
            for number, look in sorted(self.looks.items())
            for window, values in [self.stretches.condensed.get(number, nothing)]
        )


async def hold_rate(
    url: str, texts: Mapping[str, Any], values: Mapping[str, Any], progress: Progress
) -> SoakFindings:
    """Hold the rate, watch, and say what drifted. Raises HarnessError where nothing could be learned."""
    seed = values["seed"] if values["seed"] is not None else secrets.randbelow(HIGHEST_SEED)
    settings = replace(settings_of("soak", values, target=url or None), seed=seed)
    slos, slos_of_talk = slos_of(values)
    every = min(LONGEST_SAMPLE, max(SHORTEST_SAMPLE, values["seconds"] / SAMPLES_WANTED))
    held, started_at, interrupted = Held(Stretches(every)), wall_time(), False
    holding = asyncio.create_task(_hold(settings, texts, values, slos_of_talk, progress, held))
    with ending(holding):
        try:
            await holding
        except asyncio.CancelledError:
            interrupted = True
    stretches = held.stretches
    stretches.condense()
    whole = stretches.whole()
    if stretches.unsent:
        held.health.saturated = held.health.saturated or (
            f"{stretches.unsent} offers could not be sent: no descriptor was left (ulimit -n)"
        )
    failures = stretches.failures + held.talk_failures
    return SoakFindings(
        target=held.ready,
        seed=seed,
        started_at=started_at,
        calls=values["rate"],
        seconds=held.seconds,
        samples=held.samples(),
        health=held.health,
        failures=tuple((row, failure, count) for (row, failure), count in failures.most_common()),
        ended=whole.calls,
        failed=whole.failed,
        first_failure=held.first_failure,
        interrupted=interrupted,
        broke=held.broke,
        unit=UNIT,
        slos=(*(SloValue.of(slo, whole) for slo in slos), *held.slos_of_talk),
        beside=held.conclusion.beside,
        violating=held.conclusion.violating,
        also=held.conclusion.also,
    )


async def _hold(
    settings: RunSettings,
    texts: Mapping[str, Any],
    values: Mapping[str, Any],
    slos_of_talk: tuple[Slo, ...],
    progress: Progress,
    held: Held,
) -> None:
    async with AsyncExitStack() as stack:
        load = await OfferLoad.open(
            stack,
            settings,
            progress,
            talking=bool(values["talking"]),
            keep_alive=not values["new_connections"],
            http2=values["http2"],
            share=values["decode_share"],
        )
        held.ready = load.ready
        load.introduce(progress)
        await load.expose(stack, values["metrics"], progress)
        talking: Talking | None = None
        began = load.clock.now()
        try:
            first = await load.arriving.offer([0.0], 0.0)
            failure = next((failure for _, failure in first.failures), "")
            await load.raise_for_failure(failure)
            held.first_failure = failure
            if failure:
                return
            talking = await talking_beside(stack, texts, values, load)
            await load.begin(stack)
            rng = random.Random(load.settings.seed)  # noqa: S311  (replayable on purpose)
            times = arrivals(
                values["spacing"],
                values["rate"],
                values["seconds"],
                rng,
                size=values["burst_size"],
                ramp=values["ramp_seconds"],
            )
            progress.line(
                f"{values['rate']:g} offers a second for {values['seconds']} s, "
                f"looked at every {held.stretches.every:g} s"
            )
            began = load.clock.now()
            load.metering.restart(talking)
            async with load.needing_ours(), _looking(load, began, values["seconds"], held, progress):
                await load.arriving.send(times, held.stretches.tally)
        except OwnServerEndedError as ended:
            held.broke = str(ended)
            held.stretches.forget(load.clock.now() - began - FAILS_WITHIN)
        finally:
            held.seconds = min(load.clock.now() - began, values["seconds"])
            held.health = load.metering.taken(talking)
            if talking is not None:
                window = talking.window(began)
                held.slos_of_talk = tuple(SloValue.of(slo, window) for slo in slos_of_talk)
                held.talk_failures = talking.failures(began)
                for number, look in held.looks.items():
                    since = began + number * held.stretches.every
                    rows = talking.window(since, since + held.stretches.every).milliseconds
                    look |= {row: percentile(rows.get(row, ()), 50) for row in ROWS if row != SDP_POST}
            await load.end()
            if not held.broke:
                held.conclusion = await conclude(load, load.sampling.failures)


@contextlib.asynccontextmanager
async def _looking(
    load: OfferLoad, began: float, seconds: float, held: Held, progress: Progress
) -> AsyncIterator[None]:
    """At the end of each stretch what is seen is kept. Left when all stretches have ended."""

    async def look() -> None:
        own, number = psutil.Process(), 0
        while (number + 1) * every <= seconds:
            due = began + (number + 1) * every
            await asyncio.sleep(max(0.0, due - load.clock.now()))
            looked = await _look(load, own)
            held.looks[number] = looked
            progress.line(_line(due - began, looked, held.stretches.tallies.get(number)))
            held.stretches.condense(load.clock.now() - began - load.settings.timeouts.answer - every)
            number += 1

    every = held.stretches.every
    task = asyncio.create_task(look())
    try:
        yield
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _look(load: OfferLoad, own: psutil.Process) -> dict[str, float | None]:
    load.watching.look()
    fake = await counted(load.fake)
    memory = await load.fake.memory() if load.fake is not None and load.ready.mode != "embedded" else None
    return {
        "memory": own.memory_info().rss / MIB,
        "descriptors": _descriptors(own),
        "tasks": len(asyncio.all_tasks()) - load.arriving.waiting,
        "the target's memory": load.watching.rss[-1] / MIB if load.watching.rss else None,
        "the target's descriptors": load.watching.descriptors,
        "the fake's memory": None if memory is None else memory / MIB,
        LIVE: fake[2] if fake is not None else None,
    }


def _descriptors(own: psutil.Process) -> int | None:
    """Ours, without the connections that offers have: there are as many as wait at a time."""
    found = open_descriptors(own)
    return None if found is None else found - len(own.net_connections("tcp"))


def _line(at: float, looked: Mapping[str, float | None], tally: Tally | None) -> str:
    window = tally.window() if tally is not None else Window({}, 0, 0)
    median = percentile(window.milliseconds.get(SDP_POST, ()), 50)
    told = {SDP_POST: median, **{name: looked[name] for name in ("the target's memory", LIVE)}}
    figures = ", ".join(f"{name} {value:.0f}" for name, value in told.items() if value is not None)
    return f"  {at:.0f} s: {window.calls} ended, {window.failed} failed; {figures}"
