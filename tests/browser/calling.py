"""Calls of the reference page, in one browser and with one embedded pair, a few side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import httpx
import uvloop

from harness.call import Caller, Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.call.page_probes import PAGE_PROBES
from harness.config.run import RunSettings
from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedPair
from tests.browser.page_faults import PlantedPage

SIDE_BY_SIDE = 3
LIMITS = {"channel_s": 5.0, "boundary_ms": 600.0, "latency_ms": 20_000.0, "answer_s": 6.0, "session_s": 6.0}
TIMEOUTS = Timeouts(answer=8.0, channel=8.5, created=4.0, turn=7.0, reply=15.0, hang_up=5.0)
CLIP = "en-m-yes"  # the shortest


async def says_one_thing(caller: Caller) -> None:
    await caller.connect()
    await caller.say(CLIP)
    await caller.hear_reply()
    await caller.hang_up()


async def connects(caller: Caller) -> None:
    await caller.connect()
    await caller.stay_silent(1.3)
    await caller.hang_up()


def make_page_calls(
    planted: Sequence[PlantedPage],
    side_by_side: int = SIDE_BY_SIDE,
    *,
    limits: Mapping[str, float] = LIMITS,
    timeouts: Timeouts = TIMEOUTS,
) -> list[Timeline]:
    """The timeline of one real call for each."""
    return uvloop.run(_calls(planted, side_by_side, limits, timeouts))


async def _calls(
    planted: Sequence[PlantedPage], side_by_side: int, limits: Mapping[str, float], timeouts: Timeouts
) -> list[Timeline]:
    async with EmbeddedPair() as pair, httpx.AsyncClient(trust_env=False) as management:
        settings = RunSettings(
            target=Target(pair.relay), fake_openai=pair.fake, caller="page", limits=limits, timeouts=timeouts
        )
        async with CallContext.open(settings, EmbeddedPair.for_run) as context:
            places = asyncio.Semaphore(side_by_side)

            async def call(number: int, each: PlantedPage) -> Timeline:
                async with places:
                    if each.fake:
                        # A page's offer has no name beforehand: the fault is of the next call, made alone.
                        await management.post(
                            f"{pair.fake}/_fake/faults", json=[{"name": each.fake, "calls": 1}]
                        )
                    plan = says_one_thing if each.says else connects
                    probe = PAGE_PROBES.get(each.probe)
                    record = await make_call(
                        _context_for(each, context, pair),
                        probe or Scenario(str(each), str(each), plan, ()),
                        call=f"{number:03d}",
                    )
                    return record.timeline

            made: dict[int, Timeline] = {}
            numbered = list(enumerate(planted))
            for number, each in numbered:
                if each.fake:
                    made[number] = await call(number, each)
            rest = [(n, each) for n, each in numbered if not each.fake]
            timelines = await asyncio.gather(*(call(n, each) for n, each in rest))
            made |= dict(zip((n for n, _ in rest), timelines, strict=True))
    return [made[number] for number in sorted(made)]


def _context_for(planted: PlantedPage, context: CallContext, pair: EmbeddedPair) -> CallContext:
    faults = f"&fault={planted.fault}" if planted.fault else ""
    port = pair.relay.rpartition(":")[2]
    query = planted.query.format(port=port)
    path = planted.path or f"/page/?lang={planted.language}{faults}{query}"
    target = Target(f"http://{planted.host}:{port}{path}" if planted.host else f"{pair.relay}{path}")
    settings = replace(context.settings, target=target, page=planted.options)
    return replace(context, target=target, settings=settings)
