"""Settings and scenarios → calls → verdicts → a run: the same for pytest, the doctor and the demo."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from harness.call import Scenario
from harness.call.conduct import CallRecord, Watch, make_call, make_calls
from harness.call.context import CallContext
from harness.call.own_servers import OwnServer
from harness.call.usage import UsageWatch
from harness.config.run import RunSettings
from harness.core.clock import wall_time
from harness.core.events import CallStarted, Event
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedPair
from harness.requirements.judging import CallJudge
from harness.requirements.model import Outcome, Requirement, Verdict
from harness.run.checkup import StageWatch
from harness.run.judging import judge_call, judge_over_calls
from harness.run.least import Occasions, likeliest_first, still_open
from harness.run.model import CallEntry, Run, hangs, unreachable
from harness.run.stream import (
    CallFinished,
    Judged,
    Noted,
    Observer,
    RunEnded,
    RunStarted,
    StageReached,
    guarded,
)
from harness.speech.library import Library


@dataclass(frozen=True)
class Planned:
    """A scenario, what its call is judged by, and its name in the list of the front door that asked."""

    scenario: Scenario
    requirements: tuple[Requirement, ...]
    node: str = ""


class MakeCall(Protocol):
    """How one call is made; `make_call` is the usual way."""

    def __call__(
        self, context: CallContext, scenario: Scenario, /, *, call: str, watch: Watch
    ) -> Awaitable[CallRecord]: ...


async def execute(
    settings: RunSettings,
    planned: Sequence[Planned],
    observer: Observer,
    *,
    place: MakeCall = make_call,
    check: Callable[[CallContext], None] = lambda _context: None,
    repeat: tuple[str, ...] = (),
    as_they_end: bool = False,
    times: int = 1,
    least: Occasions | None = None,
    mark: bool = False,
    serving: OwnServer | None = None,
) -> Run:
    """Make a call for each planned scenario, judge them, and tell the observer of everything in between.

    Without a target the embedded pair is started, and stopped. `check` may refuse before anything is sent.
    `repeat` are the options that make the same run again. `as_they_end`: judge a call when it ends, for who
    watches; what compares its audio has not looked by then. `times`: how often each is called. `least`: call
    one after the other, and stop once all that was asked for is judged; what earlier runs judged goes first.
    `mark`: look at each call when it ends, between the packets of the others, and tell whether it failed.

    `serving`: what the front door serves for this run, watched like what is served here.

    Where nothing answers at the target, its first call is the only one. A run that is cut short (Ctrl-C) is
    judged as far as it came, told as ended, and raises what cut it. Raises HarnessError where no call can be
    made.
    """
    async with CallContext.open(
        settings, EmbeddedPair.for_run, lambda line: observer(Noted(line)), serving=serving
    ) as context:
        check(context)
        work = _Work(context, planned, guarded(observer), place, repeat, as_they_end, times, least, mark)
        try:
            await work.make_calls()
        except BaseException:
            if work.records:
                work.conclude(interrupted=True)
            raise
        return work.conclude()


@dataclass
class _Work:
    """One run under way."""

    context: CallContext
    planned: Sequence[Planned]
    observer: Observer
    place: MakeCall
    repeat: tuple[str, ...]
    as_they_end: bool
    times: int
    least: Occasions | None
    mark: bool
    started_at: str = field(default_factory=wall_time)
    unreachable: str = ""
    records: list[CallRecord] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    failed: dict[str, tuple[str, ...]] = field(default_factory=dict)

    async def make_calls(self) -> None:
        """All of them: those that bear company side by side, then the others one by one."""
        settings, target = self.context.settings, self.context.target
        planned = self.planned if self.least is None else likeliest_first(self.planned, self.least)
        rest = [each.scenario for each in planned for _ in range(self.times)]
        side_by_side = min(settings.concurrency, len(rest)) if self.least is None else 1
        self.observer(
            RunStarted(
                target.shown_url,
                target.spoken,
                settings.mode,
                settings.seed,
                len(rest),
                side_by_side,
                roughly([scenario.lasts for scenario in rest], side_by_side),
            )
        )
        usage = await UsageWatch.begin(target, self.context.client)
        if settings.mode != "embedded":
            # One ordinary call finds out that nobody answers; the others need not wait for the same.
            ordinary = next((s for s in rest if "connectivity" in s.areas), rest[0])
            ordinary = rest[0] if self.least is not None else ordinary
            rest.remove(ordinary)
            await self._make([ordinary], side_by_side=1, first=1)
            self.unreachable = unreachable(self.records[0].timeline)
            if self.unreachable:
                return
            if silence := hangs(self.records[0].timeline):
                # Each further call would wait as long, to show the same.
                self.observer(Noted(f"  the target hangs ({silence}): no further call is made"))
                self.context.budget.close(f"the target hung on the first offer: {silence}")
        if self.least is not None:
            await self._make_least(rest)
            rest = []
        # The longest begins first, so that none keeps all the others waiting.
        together = sorted((s for s in rest if not s.alone), key=lambda s: -s.lasts)
        made = len(self.records)
        await self._make(together, side_by_side=settings.concurrency, first=1 + made)
        await self._make([s for s in rest if s.alone], side_by_side=1, first=1 + made + len(together))
        if usage is not None:
            self.observer(Noted("asking the target what the run used"))
            told = await usage.end(self._in_order())
            if told.failed:
                self.observer(Noted(f"  {told.failed}"))

    async def _make_least(self, scenarios: Sequence[Scenario]) -> None:
        """One after the other, each as often as asked, until all that was asked for is judged."""
        by_name = {each.scenario.name: each for each in self.planned}
        asked = {requirement for each in self.planned for requirement in each.requirements}
        for scenario in scenarios:
            begun = sum(record.scenario is scenario for record in self.records) % self.times
            timelines = [record.timeline for record in self._in_order()]
            left = await asyncio.to_thread(still_open, asked, timelines)
            if begun or left & set(by_name[scenario.name].requirements):
                await self._make([scenario], side_by_side=1, first=1 + len(self.records))

    def conclude(self, *, interrupted: bool = False) -> Run:
        """Judge what was made, and tell the run's end."""
        made = self._in_order()
        if not self.as_they_end:
            for record in made:
                self._judge(record)
        asked = dict.fromkeys(requirement for each in self.planned for requirement in each.requirements)
        timelines = [record.timeline for first in made for record in (first, *first.followed_by)]
        judge_over_calls(timelines, asked, self._keep, strict=self.context.settings.strict)
        run = self._run(made, interrupted=interrupted)
        self.observer(RunEnded(run))
        return run

    def _judge(self, record: CallRecord) -> None:
        planned = next(each for each in self.planned if each.scenario is record.scenario)
        judge_call(record.timeline, planned.requirements, self._keep, strict=self.context.settings.strict)

    def _keep(self, requirement: Requirement, verdict: Verdict) -> None:
        self.verdicts.append(verdict)
        self.observer(Judged(requirement, verdict))

    async def _make(self, scenarios: Sequence[Scenario], *, side_by_side: int, first: int) -> None:
        await make_calls(
            self.context,
            scenarios,
            concurrency=side_by_side,
            on_done=self._done,
            first=first,
            place=self._placed,
        )

    async def _placed(self, context: CallContext, scenario: Scenario, *, call: str) -> CallRecord:
        stages = StageWatch()

        def watch(timeline: Timeline, event: Event) -> None:
            for check in stages.reached_by(timeline, event):
                self.observer(StageReached(scenario.name, call, check, timeline))

        record = await self.place(context, scenario, call=call, watch=watch)
        if self.mark:
            self.failed[record.id] = await self._failed_so_far(record)
        return record

    async def _failed_so_far(self, record: CallRecord) -> tuple[str, ...]:
        """By one requirement at a time: all at once would hold up the packets of other calls."""
        planned = next(each for each in self.planned if each.scenario is record.scenario)
        bench = CallJudge(record.timeline, strict=self.context.settings.strict)
        found = []
        for requirement in (each for each in planned.requirements if each.over == "call"):
            verdict = bench.verdict(requirement)
            if verdict.outcome in (Outcome.FAILED, Outcome.ERROR):
                found.append(f"{verdict.id}: {verdict.cause or verdict.explanation}")
            await asyncio.sleep(0)
        return tuple(found)

    def _done(self, record: CallRecord) -> None:
        self.records.append(record)
        if self.as_they_end:
            self._judge(record)
        self.observer(CallFinished(record, self.failed.get(record.id, ())))

    def _in_order(self) -> list[CallRecord]:
        order = {each.scenario.name: number for number, each in enumerate(self.planned)}
        return sorted(self.records, key=lambda record: (order[record.scenario.name], record.id))

    def _run(self, made: Sequence[CallRecord], *, interrupted: bool) -> Run:
        settings = self.context.settings
        by_name = {each.scenario.name: each for each in self.planned}
        return Run(
            target=self.context.target.shown_url,
            dialect=_dialect(made) or self.context.target.spoken,
            mode=settings.mode,
            caller=settings.caller,
            route="websocket" if self.context.target.is_websocket else "offer",
            seed=settings.seed,
            started_at=self.started_at,
            calls=tuple(
                _entry(record, by_name[first.scenario.name])
                for first in made
                for record in (first, *first.followed_by)
            ),
            verdicts=tuple(self.verdicts),
            unreachable=self.unreachable,
            interrupted=interrupted,
            conditions=conditions(settings, self.context.library),
            repeat=self.repeat,
            strict=settings.strict,
        )


def roughly(lasts: Sequence[float], side_by_side: int) -> float:
    """How long so many calls take, each given to whoever is free first, the longest first."""
    free = [0.0] * max(1, side_by_side)
    for seconds in sorted(lasts, reverse=True):
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)


def conditions(settings: RunSettings, library: Library) -> Mapping[str, str]:
    """What another run must share, beside the target, for its figures to be comparable."""
    return {"fixtures": library.digest(), "impairment": settings.impairment or "none"}


def _dialect(made: Sequence[CallRecord]) -> str:
    """As the calls were made in it, which may have been found on the way."""
    started = made[0].timeline.first(CallStarted) if made else None
    return started.dialect if started else ""


def _entry(record: CallRecord, planned: Planned) -> CallEntry:
    return CallEntry(
        record.id,
        record.scenario.name,
        record.timeline,
        record.audio,
        title=record.scenario.title,
        place=record.scenario.place,
        node=planned.node,
        judged=frozenset(r.id for r in planned.requirements if r.over == "call"),
    )
