"""Making the calls of scenarios: whatever happens, each ends as a timeline, and nothing is left behind."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Protocol

import msgspec
import numpy as np

from harness import __version__
from harness.call.arriving import read_arrivals
from harness.call.caller import Caller
from harness.call.comparing import compare_audio
from harness.call.context import CallContext
from harness.call.gateways import follow_gateway
from harness.call.line import CallLine
from harness.call.own_servers import OwnServerEndedError
from harness.call.scenario import Scenario
from harness.call.stopping import PlanStopped
from harness.call.transcripts import compare_transcripts
from harness.core import probes
from harness.core.audio import Samples
from harness.core.clock import MonotonicClock, RelativeClock, wall_time
from harness.core.errors import HarnessError
from harness.core.events import (
    CallEnded,
    CallStarted,
    CallWithheld,
    Event,
    EventInvalid,
    HarnessFailed,
    HttpFailed,
    ServerEvent,
    Stalled,
    UpstreamUnavailable,
    WaitExpired,
)
from harness.core.naming import name_of
from harness.core.realtime_events import server_event_problem
from harness.core.timeline import Timeline
from harness.core.traceparent import TraceParent
from harness.network.link import Link
from harness.peer.stalls import StallWatch
from harness.signaling.hooks import filled
from harness.speech.library import Library

CLEAN_UP_SECONDS = 10.0

Watch = Callable[[Timeline, Event], None]


class PlaceCall(Protocol):
    """How one call is made, within the budget."""

    def __call__(self, context: CallContext, scenario: Scenario, *, call: str) -> Awaitable[CallRecord]: ...


@dataclass(frozen=True)
class CallRecord:
    """One call that was made: its timeline, and the audio that was received (48 kHz mono, from 0 on).

    `followed_by`: the calls that the scenario made after it, each with a timeline of its own.
    """

    scenario: Scenario
    timeline: Timeline
    audio: Samples
    followed_by: tuple[CallRecord, ...] = ()

    @property
    def id(self) -> str:
        """The call's id: unique in a run."""
        started = self.timeline.first(CallStarted)
        return started.call if started else ""


async def make_calls(
    context: CallContext,
    scenarios: Sequence[Scenario],
    *,
    concurrency: int,
    on_done: Callable[[CallRecord], None] = lambda _record: None,
    first: int = 1,
    place: PlaceCall | None = None,
) -> list[CallRecord]:
    """Make one call for each scenario, so many side by side; records come in the scenarios' order.

    A call that the budget does not allow is not placed; its record says so. Calls are numbered from `first`,
    and made by `place`, or else by `make_call`.
    """
    places = asyncio.Semaphore(concurrency)

    async def make(number: int, scenario: Scenario) -> CallRecord:
        async with places:
            record = await _make_within_budget(
                context, scenario, f"{number:03d}-{scenario.name}", place or make_call
            )
        on_done(record)
        return record

    records = list(await asyncio.gather(*(make(n, s) for n, s in enumerate(scenarios, start=first))))
    await asyncio.to_thread(_compare, records, context.library)
    return records


def _compare(records: Sequence[CallRecord], library: Library) -> None:
    for record in (each for first in records for each in (first, *first.followed_by)):
        try:
            compare_audio(record.timeline, record.audio, library)
            compare_transcripts(record.timeline, library)
        except Exception as error:  # this call's, and no other's
            ended = record.timeline.last(CallEnded)
            failed = HarnessFailed(
                at=ended.at if ended else 0.0, error=f"{type(error).__name__}: {error}", where=_where(error)
            )
            record.timeline.append(failed)


async def _make_within_budget(
    context: CallContext, scenario: Scenario, call: str, place: PlaceCall
) -> CallRecord:
    if refusal := await context.budget.admit():
        events = [
            _started(context, scenario, call),
            CallWithheld(at=0.0, reason=refusal, for_cost=not context.budget.is_closed),
            CallEnded(at=0.0, reason="the call was not placed"),
        ]
        return CallRecord(scenario, Timeline(events), np.zeros(0, np.int16))
    made: list[CallRecord] = []
    try:
        record = await place(context, scenario, call=call)
        made = [record, *record.followed_by]
    finally:
        context.budget.charge(*(each.timeline for each in made))
    return record


async def make_call(
    context: CallContext,
    scenario: Scenario,
    *,
    call: str,
    light: bool = False,
    watch: Watch | None = None,
) -> CallRecord:
    """Make one call. Raises only CancelledError, and cleans up first.

    `watch` is told of each event as it is recorded, and must be quick. A `light` call, for load, is cheap:
    its events are not held against the official types, the fake is not asked for its view, and its audio is
    recorded as `StretchHeard` alone, next to nothing decoded.
    """
    try:
        target = await filled(await context.ice.given(context.target), context.client)
    except HarnessError as error:  # a hook's, or of the ICE servers
        return _not_made(context, scenario, call, str(error))
    if target is not context.target:
        context = replace(context, target=target, settings=replace(context.settings, target=target))
    open_line = partial(_open_line, context, scenario, watch=watch, light=light)
    first = open_line(call)

    def call_again(line: CallLine | None) -> CallLine:
        name, link = f"{call}-{next(numbers)}", line.link if line else None
        return open_line(name, link=link, continues=line.call if line else "")

    numbers = count(2)
    caller = Caller(first, call_again)
    reason = "the scenario was cut short"
    unlisten = StallWatch.shared().listen(partial(_stalled, caller)) if not light else lambda: None
    stop_watching = context.own_servers.listen(partial(_lost_server, caller))
    try:
        async with context.own_servers.needed():
            if context.settings.impairment:
                caller.network.impair(context.settings.impairment)
            await scenario.plan(caller)
        reason = "the scenario ran to its end"
    except PlanStopped as stopped:
        reason = str(stopped)
    except OwnServerEndedError:  # recorded when it was noticed
        reason = "the harness failed"
    except HarnessError as error:
        _broke(caller, str(error), scenario.name)
        reason = "the harness failed"
    except Exception as error:
        _broke(caller, f"{type(error).__name__}: {error}", _where(error))
        reason = "the harness failed"
    finally:
        await _hang_up(caller)
        unlisten()
        caller.line.record(CallEnded(at=caller.line.now(), reason=reason))
    if not light:
        for line in caller.lines:
            try:
                # A target may have sent very many: the other calls' packets do not wait for that.
                line.timeline.extend(await asyncio.to_thread(list, _invalid(line.timeline)))
                await _ask_upstream(context, line.timeline, name_of(line.timeline), line.clock)
            except Exception as error:  # this call's, and no other's
                _broke(caller, f"{type(error).__name__}: {error}", _where(error))
    await context.own_servers.settle(doubt=any(_is_unanswered(line.timeline) for line in caller.lines))
    stop_watching()
    record, *followed = [CallRecord(scenario, x.timeline, x.end.heard.samples()) for x in caller.lines]
    return replace(record, followed_by=tuple(followed))


def _not_made(context: CallContext, scenario: Scenario, call: str, why: str) -> CallRecord:
    """The record of a call that never began, by no fault of the relay."""
    events = [
        _started(context, scenario, call),
        HarnessFailed(at=0.0, error=why),
        CallEnded(at=0.0, reason="the call was not placed"),
    ]
    return CallRecord(scenario, Timeline(events), np.zeros(0, np.int16))


def _open_line(
    context: CallContext,
    scenario: Scenario,
    call: str,
    *,
    link: Link | None = None,
    continues: str = "",
    watch: Watch | None = None,
    light: bool = False,
) -> CallLine:
    """A line with its first event on the timeline."""
    clock = RelativeClock(MonotonicClock())
    timeline = Timeline()
    traceparent = str(TraceParent.new()) if context.settings.telemetry else ""
    if watch is not None:
        timeline.listen(partial(watch, timeline))
    line = context.open_line(
        timeline,
        clock,
        call=call,
        link=link,
        spare=scenario.restarts_relay,
        light=light,
        bad_network=scenario.bad_network or bool(context.settings.impairment),
        traceparent=traceparent,
    )
    line = replace(line, library=context.library.beside(scenario.place[0]))
    started = _started(context, scenario, call, origin=clock.origin, ufrag=line.end.ufrag)
    line.record(msgspec.structs.replace(started, continues=continues, traceparent=traceparent))
    if not light:
        context.offers.add(clock, timeline)
    return line


def _stalled(caller: Caller, seconds: float) -> None:
    """For the call that it is in, and for the first one, which is judged by how the caller came back."""
    for line in {id(line): line for line in (caller.lines[0], caller.line)}.values():
        line.record(Stalled(at=line.now(), seconds=round(seconds, 3)))


def _lost_server(caller: Caller, why: str, runs_at: float) -> None:
    """From when a server of ours was last known to run, nothing is the target's."""
    for line in caller.lines:
        line.record(HarnessFailed(at=max(0.0, runs_at - line.clock.origin), error=why))


def _is_unanswered(timeline: Timeline) -> bool:
    """Whether somebody did not answer at all, as a server of ours that is gone."""
    kinds = (HttpFailed, UpstreamUnavailable, HarnessFailed)
    return any(timeline.first(kind, side=None) is not None for kind in kinds)


def _broke(caller: Caller, error: str, where: str) -> None:
    """We failed, which no call of this caller may be blamed for."""
    for line in caller.lines:
        line.record(HarnessFailed(at=line.now(), error=error, where=where))


def _started(
    context: CallContext, scenario: Scenario, call: str, *, origin: float = 0.0, ufrag: str = ""
) -> CallStarted:
    return CallStarted(
        at=0.0,
        call=call,
        scenario=scenario.name,
        started_at=wall_time(),
        origin=origin,
        seed=context.settings.seed,
        harness=__version__,
        target=context.target.shown_url,
        dialect=context.target.spoken,
        mode=context.settings.mode,
        limits=dict(context.settings.limits),
        prices=dict(context.settings.prices),
        ufrag=ufrag,
        silent=context.target.silent,
        passes_events=context.target.passes_events,
        caller=context.settings.caller,
    )


async def _hang_up(caller: Caller) -> None:
    """Clean up even while being cancelled; a clean-up that fails or does not end is our own failure."""
    try:
        async with asyncio.timeout(CLEAN_UP_SECONDS):
            await asyncio.shield(asyncio.ensure_future(caller.hang_up()))
    except TimeoutError:
        line = caller.line
        line.record(HarnessFailed(at=line.now(), error="hanging up did not end", where="clean-up"))
    except Exception as error:  # this call's, and no other's
        _broke(caller, f"{type(error).__name__}: {error}", _where(error))


def _where(error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{where.filename.rpartition('/')[2]}:{where.lineno}"


def _invalid(timeline: Timeline) -> Iterator[EventInvalid]:
    """Every server event that the official types refuse, after the call so as not to disturb it."""
    for event in timeline.all(ServerEvent) if timeline.events_side == "caller" else ():
        if event.event is None:
            yield EventInvalid(at=event.at, type="", problem=f"not a JSON object: {event.raw[:200]!r}")
        elif (problem := server_event_problem(event.event)) is not None:
            yield EventInvalid(
                at=event.at, type=event.type, problem=problem.problem, unknown_type=problem.unknown_type
            )


async def _ask_upstream(context: CallContext, timeline: Timeline, ufrag: str, clock: RelativeClock) -> None:
    """Add the fake's view, once it has released the call or the time for that has passed."""
    if context.upstream is None or not ufrag:
        return
    if context.own_servers.problem:
        timeline.append(UpstreamUnavailable(at=clock.now(), reason=context.own_servers.problem))
        return
    try:
        calls = await context.upstream.calls_when_ended(ufrag, context.settings.timeouts.hang_up)
    except HarnessError as error:
        timeline.append(UpstreamUnavailable(at=clock.now(), reason=str(error)))
        return
    if any(call.live for call in calls):
        waited = context.settings.timeouts.hang_up
        timeline.append(WaitExpired(at=clock.now(), what=probes.RELEASE, within=waited))
    for call in calls:
        timeline.extend(call.on_timeline(clock.origin))
    try:
        await read_arrivals(context.upstream, context.offers, timeline, ufrag, clock)
        within = context.settings.timeouts.hang_up
        await follow_gateway(context.upstream, timeline, clock, context.gateway_calls, within=within)
    except HarnessError as error:
        timeline.append(UpstreamUnavailable(at=clock.now(), reason=str(error)))
