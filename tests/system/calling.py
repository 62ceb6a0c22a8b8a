"""Making the calls of planted faults, side by side, each fault addressed to its own call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import httpx
import msgspec
import uvloop
from pydantic import SecretStr

from harness.call import Caller, Scenario
from harness.call.comparing import compare_audio
from harness.call.conduct import CallRecord, make_call
from harness.call.context import CallContext
from harness.call.transcripts import compare_transcripts
from harness.call.tripping import Tripping
from harness.call.usage import UsageWatch
from harness.call.websocket_end import WebSocketEnd
from harness.config.hooks import UsageEndpoint
from harness.config.ice import IceServer
from harness.config.run import RunSettings
from harness.config.timeouts import Timeouts
from harness.core.events import CallStarted, PacingMeasured, UpstreamUnavailable
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.requirements.judging import CallJudge
from tests.system.planted import Planned
from tests.system.planted_ice import ice_servers
from tests.system.planted_signaling import PAGE_ORIGIN
from tests.system.planted_usage import usage_endpoints

P = TypeVar("P", bound=Planned)
T = TypeVar("T")

LATE_MS = 10.0  # of a sender, p99: above it, the pace of packets says nothing
CONCURRENCY = 8  # they mostly wait: one takes a thirtieth of a core
BEARER = "matrix-caller-token"

# Tighter than the defaults, so that waiting in vain is short; each wait is longer than its limit.
LIMITS = {
    "answer_s": 4.0,
    "channel_s": 3.0,
    "session_s": 2.0,
    "response_s": 3.0,
    "release_s": 3.0,
    "latency_ms": 20_000.0,
    # By as much as we sent late, speech seems to be detected early: so much is left to a busy machine.
    "boundary_ms": 400.0,
}
TIMEOUTS = Timeouts(
    gathering=3.0,
    connect=3.0,
    answer=11.0,  # the reference relay gives its upstream 8 s
    ice=4.0,
    dtls=4.0,
    channel=7.0,
    created=3.0,
    update=3.0,
    turn=5.0,
    reply=12.0,
    hang_up=4.0,
)


def make_planned_calls(
    planned: Sequence[Planned],
    seed: int = 0,
    *,
    limits: Mapping[str, float] = LIMITS,
    timeouts: Timeouts = TIMEOUTS,
    side_by_side: int = CONCURRENCY,
) -> list[Timeline]:
    """The timeline of one real call for each."""
    settings = RunSettings(seed=seed, limits=limits, timeouts=timeouts)
    return uvloop.run(_calls(planned, settings, side_by_side))


def make_until_told(
    planned: Sequence[P], is_right: Callable[[P, Timeline], bool], seed: int = 0
) -> list[Timeline]:
    """As `make_planned_calls`, and again what could not be told because this machine was too slow."""

    def make(some: Sequence[P], side_by_side: int) -> list[Timeline]:
        return make_planned_calls(some, seed, side_by_side=side_by_side)

    return until_told(planned, make, is_right)


def until_told(
    planned: Sequence[T],
    make: Callable[[Sequence[T], int], list[Timeline]],
    is_right: Callable[[T, Timeline], bool],
    at_once: int = CONCURRENCY,
) -> list[Timeline]:
    """The timelines of calls; those of which the judge could not tell are made again, fewer at a time.

    That is the judge's own word on the call, not a guess: our end or the fake's was late. A call that went
    wrong in time stands as it is. `make`: some of the calls, so many side by side.
    """
    made = dict(enumerate(make(planned, at_once)))
    for side_by_side in sorted({max(at_once // 2, 1), min(at_once, 2), 1}, reverse=True):
        late = [
            n for n, timeline in made.items() if was_late(timeline) and not is_right(planned[n], timeline)
        ]
        if not late:
            break
        again = make([planned[n] for n in late], side_by_side)
        made |= dict(zip(late, again, strict=True))
    return list(made.values())


def was_late(timeline: Timeline) -> bool:
    """Whether verdicts on the call may be inconclusive for our own lateness."""
    judge = CallJudge(timeline)
    is_slow = judge.lateness() is not None or judge.stalled() is not None
    unasked = timeline.first(UpstreamUnavailable) is not None  # the pair's own fake did not answer in time
    return is_slow or unasked or any(m.p99 >= LATE_MS for m in timeline.all(PacingMeasured, side=None))


async def _calls(planned: Sequence[Planned], settings: RunSettings, side_by_side: int) -> list[Timeline]:
    options = EmbeddedOptions(bearer_token=BEARER, origins=(PAGE_ORIGIN,), seed=settings.seed)
    async with (
        EmbeddedPair(options) as pair,
        httpx.AsyncClient(trust_env=False) as management,
        open_context(pair, settings) as context,
        ice_servers(planned) as servers,
        usage_endpoints(planned) as endpoints,
    ):
        places = asyncio.Semaphore(side_by_side)

        async def call(number: int, each: Planned) -> CallRecord:
            async with places:
                scenario = _scenario(each, pair, management)
                own = _context_for(each, context, servers, endpoints)
                usage = await UsageWatch.begin(own.target, own.client)
                record = await make_call(own, scenario, call=f"{number:03d}")
                if usage is not None:
                    await usage.end([record])
                return record

        numbered = list(enumerate(planned, start=1))
        records = {n: await call(n, each) for n, each in numbered if each.alone}
        together = [(n, each) for n, each in numbered if not each.alone]
        made = await asyncio.gather(*(call(n, each) for n, each in together))
        records |= dict(zip((n for n, _ in together), made, strict=True))
        for record in records.values():
            compare_audio(record.timeline, record.audio, context.library)
            compare_transcripts(record.timeline, context.library)
    return [_on(each.on, records[n].timeline) for n, each in numbered]


def _on(day: str, timeline: Timeline) -> Timeline:
    """The call as if it had been made on that day."""
    if not day:
        return timeline
    return Timeline(
        msgspec.structs.replace(event, started_at=f"{day}T12:00:00.000000+00:00")
        if isinstance(event, CallStarted)
        else event
        for event in timeline
    )


def _context_for(
    planted: Planned,
    context: CallContext,
    servers: Mapping[str, IceServer],
    endpoints: Mapping[str, UsageEndpoint],
) -> CallContext:
    """With what is configured for this call alone."""
    target = dict(planted.target)
    if planted.ice:
        target["ice_servers"] = (servers[planted.ice],)
    if planted.usage:
        target["usage"] = endpoints[planted.usage]
    limits = {**context.settings.limits, **dict(planted.limits)}
    settings = replace(
        context.settings, limits=limits, offer=planted.offer or context.settings.offer, caller=planted.caller
    )
    own = replace(context.target, url=settings.reached_by(context.target.url))
    return replace(
        context,
        settings=settings,
        target=replace(own, **target),
        open_end=WebSocketEnd if planted.caller == "websocket" else context.open_end,
        tripping=Tripping(),
    )


@asynccontextmanager
async def open_context(pair: EmbeddedPair, settings: RunSettings) -> AsyncIterator[CallContext]:
    """A context with credentials for the pair."""
    settings = settings.with_pair(pair.offer_url, pair.fake)
    target = replace(settings.the_target, bearer=SecretStr(BEARER))
    async with CallContext.open(replace(settings, target=target), EmbeddedPair.for_run) as context:
        yield context


def _scenario(planned: Planned, pair: EmbeddedPair, management: httpx.AsyncClient) -> Scenario:
    planting = {"relay": f"{pair.relay}/_relay/faults", "fake": f"{pair.fake}/_fake/faults"}

    async def plan(caller: Caller) -> None:
        for side, text in planned.faults:
            name, _, value = text.partition("=")
            ufrag = caller.line.end.ufrag + ("*" if planned.lasting else "")
            fault = {"name": name, "ufrag": ufrag} | ({"value": value} if value else {})
            response = await management.post(planting[side], json=[fault])
            response.raise_for_status()
        await planned.conversation(caller)

    return Scenario(str(planned), str(planned), plan, ())
