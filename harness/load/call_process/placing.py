"""Carrying out orders: each becomes one call, or two for a caller who comes back, and one report."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter

from harness.call import Scenario
from harness.call.conduct import CallRecord, make_call
from harness.call.context import CallContext
from harness.core.clock import Clock, MonotonicClock
from harness.core.events import CallStarted, StepStarted
from harness.core.timeline import Timeline
from harness.load.analysis.rows import CHANNEL, RECONNECT
from harness.load.call_process.meter import Meter
from harness.load.call_process.outcomes import done_stages, outcome_of
from harness.load.call_process.personas import Personas
from harness.load.call_process.plans import PLANS
from harness.load.messages import CallMade, LoadSettings, Order, StageDone
from harness.load.pipes import Send
from harness.report.files import write_call
from harness.run.model import CallEntry

HEARD_AT_LEAST = 4  # calls side by side that are examined in full, whatever their share
OVERSPENT = "cost.per-run: budget-exceeded"
KEPT_OF_A_KIND = 3  # calls whose evidence is kept for each failure: more of the same tell nothing new

logger = logging.getLogger(__name__)


class Placing:
    """The calls of this process. `place` and `cancel` return at once; `end` hangs up all of them."""

    def __init__(
        self,
        context: CallContext,
        settings: LoadSettings,
        personas: Personas,
        send: Send,
        meter: Meter,
        clock: Clock | None = None,
    ) -> None:
        self._context = context
        self._settings = settings
        self._send = send
        self._meter = meter
        self._clock = clock or MonotonicClock()
        self._personas = personas
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._heard = 0
        self._kept: Counter[str] = Counter()

    def place(self, order: Order) -> None:
        """Begin the call of an order."""
        self._meter.placed(order.placed_at)
        task = asyncio.create_task(self._carry_out(order), name=f"order-{order.id}")
        self._tasks[order.id] = task
        self._meter.calls = len(self._tasks)
        task.add_done_callback(lambda done: self._ended(order.id, done))

    def cancel(self, order: int) -> None:
        """Hang up the call of an order; nothing where it is over."""
        if (task := self._tasks.get(order)) is not None:
            task.cancel()

    async def end(self) -> None:
        """Hang up every call, and wait until they are gone."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, order: int, task: asyncio.Task[None]) -> None:
        self._tasks.pop(order, None)
        self._meter.calls = len(self._tasks)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("an order could not be carried out", exc_info=error)
            self._send(CallMade(id=order, at=self._clock.now(), seconds=0.0, broken=f"{error!r}"))

    async def _carry_out(self, order: Order) -> None:
        began = self._clock.now()
        told: set[tuple[str, float]] = set()
        plan = PLANS[order.caller](
            self._personas[order.number],
            self._settings.turns,
            lambda caller: self._tell(order.id, caller.line.timeline, told),
        )
        light = not self._hears()
        dropped_at: float | None = None
        made = CallMade(id=order.id, at=began, seconds=0.0)
        for leg, scenario in enumerate(plan.calls):
            if withheld := await self._context.budget.admit():
                made = CallMade(id=order.id, at=began, seconds=0.0, failure=OVERSPENT, withheld=withheld)
                if broken := self._context.own_servers.problem:
                    made = CallMade(id=order.id, at=began, seconds=0.0, broken=broken)
                break
            name = f"{order.caller}-{order.number:04d}-{order.round:03d}" + (f"-{leg + 1}" if leg else "")
            record = await self._call(scenario, name, light=light)
            # A row that an interrupted plan did not come to tell still counts.
            self._tell(order.id, record.timeline, told)
            told.clear()
            outcome = await outcome_of(record)
            row = outcome.row
            if dropped_at is not None and not self._tell_reconnect(order.id, record, dropped_at) and row:
                row = RECONNECT
            now = self._clock.now()
            made = CallMade(
                id=order.id,
                at=now,
                seconds=now - began,
                failure=outcome.failure,
                row=row,
                broken=outcome.broken,
                unreachable=outcome.unreachable,
            )
            dropped_at = _dropped_at(record)
            if outcome.failure:
                await self._keep(outcome.failure, record)
            if outcome.failure or dropped_at is None:
                break
        self._send(made)

    async def _call(self, scenario: Scenario, name: str, *, light: bool) -> CallRecord:
        """One admitted call."""
        record = None
        self._heard += not light
        try:
            record = await make_call(self._context, scenario, call=name, light=light)
        finally:
            self._heard -= not light
            self._context.budget.charge(*([record.timeline] if record else []), lost=record is None)
        return record

    # --- what is told while a call goes on ---

    def _tell(self, order: int, timeline: Timeline, told: set[tuple[str, float]]) -> None:
        """Report the stages that ended since the last time."""
        origin = _origin(timeline)
        for row, at, ms in done_stages(timeline):
            began = round(at - ms / 1000, 4)
            if (row, began) not in told:
                told.add((row, began))
                self._send(StageDone(id=order, row=row, at=origin + at, ms=ms))

    def _tell_reconnect(self, order: int, record: CallRecord, dropped_at: float) -> bool:
        origin = _origin(record.timeline)
        opened = next((at for row, at, _ in done_stages(record.timeline) if row == CHANNEL), None)
        if opened is None:
            return False
        at = origin + opened
        self._send(StageDone(id=order, row=RECONNECT, at=at, ms=1000 * (at - dropped_at)))
        return True

    # --- how closely a call is looked at ---

    def _hears(self) -> bool:
        return self._heard < max(HEARD_AT_LEAST, self._settings.decode_share * len(self._tasks))

    async def _keep(self, failure: str, record: CallRecord) -> None:
        """Write the evidence of the first failed calls of each kind, off the loop that paces the others."""
        self._kept[failure] += 1
        if self._kept[failure] > KEPT_OF_A_KIND:
            return
        entry = CallEntry(record.id, record.scenario.name, record.timeline, record.audio)
        directory = self._context.settings.reports / "calls" / f"{os.getpid()}-{record.id}"
        try:
            await asyncio.to_thread(write_call, entry, directory)
        except OSError as error:
            logger.warning("the evidence of a failed call could not be kept: %s", error)


def _origin(timeline: Timeline) -> float:
    started = timeline.first(CallStarted)
    return started.origin if started else 0.0


def _dropped_at(record: CallRecord) -> float | None:
    """When the caller was cut off, on the monotonic clock; None where it was not."""
    drop = record.timeline.first(StepStarted, where=lambda e: e.step == "drop")
    return _origin(record.timeline) + drop.at if drop else None
