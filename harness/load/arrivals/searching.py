"""A whole search for the rate of offers: what it needs is opened, used and closed here."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from harness.call.own_servers import OwnServerEndedError
from harness.config.asking import settings_of
from harness.config.option import blaming
from harness.config.options import HIGHEST_SEED
from harness.config.run import RunSettings
from harness.core.clock import wall_time
from harness.core.errors import UsageError
from harness.load.analysis.arrival_findings import ArrivalFindings
from harness.load.analysis.arrival_steps import ArrivalStep
from harness.load.analysis.rows import SDP_POST
from harness.load.analysis.search import Search
from harness.load.analysis.slo import FAILURES, Slo, read_slo, read_slos
from harness.load.arrivals.climbing import ArrivalPace, Climbing
from harness.load.arrivals.cold import ColdStart, start_cold
from harness.load.arrivals.concluding import Conclusion, conclude, ending
from harness.load.arrivals.opening import OfferLoad, talking_beside
from harness.load.arrivals.sampling import Sampling
from harness.load.messages import Ready
from harness.load.terminal import Progress

START, STEP, MOST = 20, 1, 5000  # offers a second
CLOSE = 0.05  # the edge is known to this part of itself
USUAL = ("SDP POST p95 < 2s", "failures < 1%")
USUAL_OF_TALK = ("first audio p95 < 3s",)
TALK_FAILURES = read_slo("failures < 1%")


@dataclass
class Found:
    """What has been learned so far: kept whatever ends the search."""

    ready: Ready = field(default_factory=lambda: Ready(target="", dialect="", mode=""))
    steps: list[ArrivalStep] = field(default_factory=list)
    cold: ColdStart | None = None
    conclusion: Conclusion = field(default_factory=Conclusion)
    wrong: Counter[str] = field(default_factory=Counter)  # of samples, while the target kept up
    broke: str = ""  # why a process of ours ended


async def find_rate(
    url: str, texts: Mapping[str, Any], values: Mapping[str, Any], progress: Progress
) -> ArrivalFindings:
    """Search for the rate. Raises HarnessError where nothing could be learned."""
    start, step, most = values["start"] or START, values["step"] or STEP, values["most"] or MOST
    if start > most:
        raise UsageError(f"--start {start} is beyond --most {most}", "begin with fewer offers a second")
    search = Search(start, step, most, share=CLOSE, doubling=values["step"] is None, twice=True)
    seed = values["seed"] if values["seed"] is not None else secrets.randbelow(HIGHEST_SEED)
    settings = replace(settings_of("capacity", values, target=url or None), seed=seed)
    slos, slos_of_talk = slos_of(values)
    found, started_at, interrupted = Found(), wall_time(), False
    searching = asyncio.create_task(
        _search(settings, texts, values, (slos, slos_of_talk), search, progress, found)
    )
    with ending(searching):
        try:
            await searching
        except asyncio.CancelledError:
            interrupted = True
    return ArrivalFindings(
        target=found.ready,
        seed=seed,
        started_at=started_at,
        slos=(*slos, *slos_of_talk),
        steps=tuple(found.steps),
        holds=search.holds,
        breaks=search.breaks,
        most=most,
        at_least=values["at_least"],
        first_failure=found.cold.failure if found.cold and not found.broke else "",
        broke=found.broke,
        interrupted=interrupted,
        beside=(*filter(None, [_cold_words(found.cold)]), *found.conclusion.beside),
        also={"cold_start": found.cold.as_json() if found.cold else None, **found.conclusion.also},
        violating=found.conclusion.violating,
    )


async def _search(
    settings: RunSettings,
    texts: Mapping[str, Any],
    values: Mapping[str, Any],
    slos: tuple[tuple[Slo, ...], tuple[Slo, ...]],
    search: Search,
    progress: Progress,
    found: Found,
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
        found.ready = load.ready
        load.introduce(progress)
        await load.expose(stack, values["metrics"], progress)
        try:
            async with load.needing_ours():
                found.cold = await start_cold(load.arriving, values["idle_seconds"], values["burst_size"])
                await load.raise_for_failure(found.cold.failure)
                if found.cold.failure:
                    return
                progress.line(f"  cold start: {_cold_line(found.cold)}")
                await _climb(stack, load, texts, values, slos, search, progress, found)
        except OwnServerEndedError as ended:
            found.broke = str(ended)
        finally:
            await load.end()
            if not found.broke:
                found.conclusion = await conclude(load, found.wrong)


async def _climb(
    stack: AsyncExitStack,
    load: OfferLoad,
    texts: Mapping[str, Any],
    values: Mapping[str, Any],
    slos: tuple[tuple[Slo, ...], tuple[Slo, ...]],
    search: Search,
    progress: Progress,
    found: Found,
) -> None:
    talking = await talking_beside(stack, texts, values, load)
    await load.begin(stack)
    await Climbing(
        arriving=load.arriving,
        watching=load.watching,
        metering=load.metering,
        releasing=load.releasing,
        talking=talking,
        pace=ArrivalPace(
            values["spacing"],
            values["burst_size"],
            values["ramp_seconds"],
            values["settle_seconds"],
            values["step_seconds"],
        ),
        slos=slos[0],
        slos_of_talk=slos[1],
        rng=random.Random(load.settings.seed),  # noqa: S311  (replayable on purpose)
        clock=load.clock,
        on_step=lambda step: _told(step, found, load.sampling, progress),
        on_status=progress.status,
    ).climb(search)


def slos_of(values: Mapping[str, Any]) -> tuple[tuple[Slo, ...], tuple[Slo, ...]]:
    """Of the offers, and of those who talk. Raises UsageError for one of a conversation that nobody has."""
    usual = (*USUAL, *(USUAL_OF_TALK if values["talking"] else ()))
    with blaming("slo"):
        every = read_slos(values["slos"], usual)
        of_offers = tuple(slo for slo in every if slo.row in (SDP_POST, FAILURES))
        of_talk = tuple(slo for slo in every if slo not in of_offers)
        if of_talk and not values["talking"]:
            raise UsageError(
                f"{of_talk[0].text!r} is about a conversation, and nobody talks", "give --talking N with it"
            )
    return of_offers, (*of_talk, TALK_FAILURES) if values["talking"] else ()


def _told(step: ArrivalStep, found: Found, sampling: Sampling, progress: Progress) -> None:
    found.steps.append(step)
    if step.outcome == "held":  # what an overloaded target does wrong is no finding of its own
        found.wrong += +sampling.failures
    sampling.failures.clear()
    health = step.offers.health
    late = health.placing.percentile(99)
    progress.line(
        f"  {step.rate} offers a second: {step.outcome}  {step.figures()}  "
        f"(answered {step.seen.answered:.0f}; generator: {'-' if late is None else f'{late:g}'} ms late "
        f"at p99, {100 * health.cpu:.0f} % of a core)"
    )


def _cold_line(cold: ColdStart) -> str:
    def ms(value: float | None) -> str:
        return "no answer" if value is None else f"{value:.0f} ms"

    return f"first {ms(cold.first)}, warm {ms(cold.warm)}, slowest of {cold.size} at once {ms(cold.burst)}"


def _cold_words(cold: ColdStart | None) -> str:
    return str(cold) if cold is not None and not cold.failure else ""
