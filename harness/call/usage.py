"""What a run used as the target's own usage endpoint counts it: asked before its calls, and after them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import msgspec

from harness.call.conduct import CallRecord
from harness.config.hooks import UsageEndpoint
from harness.config.target import Target
from harness.core.clock import MonotonicClock
from harness.core.events import CallWithheld, UsageTold
from harness.requirements.bills import reported_usage
from harness.signaling.hook_request import HookFailedError
from harness.signaling.usage import told_usage

PAUSE_SECONDS = 1.0
ROUNDED_OFF = 0.01  # a figure this part below what the responses say may have arrived, rounded


@dataclass(frozen=True)
class UsageWatch:
    """Begun before the calls of a run, ended after them. `before`: the figure, or None where it `failed`."""

    endpoint: UsageEndpoint
    target: Target
    client: httpx.AsyncClient
    before: float | None = None
    failed: str = ""

    @classmethod
    async def begin(cls, target: Target, client: httpx.AsyncClient) -> UsageWatch | None:
        """Ask the first time; None where the target has no usage endpoint. A failure is kept, not raised."""
        if target.usage is None:
            return None
        try:
            before = await told_usage(target.usage, target, client)
        except HookFailedError as error:
            return cls(target.usage, target, client, failed=f"before the calls, {error}")
        return cls(target.usage, target, client, before=before)

    async def end(self, records: Sequence[CallRecord]) -> UsageTold:
        """Ask until the figure has settled, and put what was told on the timeline of one of these calls.

        The figure has settled where two answers in a row are the same, and it has risen by what the responses
        used. That takes `settle` seconds at most, and the time-out of one answer.
        """
        made = [record for first in records for record in (first, *first.followed_by)]
        carrier = next((r for r in made if r.timeline.first(CallWithheld) is None), made[0]).timeline
        told = UsageTold(
            # The end of a call, though it is about all: what is asked later shall not stretch the call.
            at=max(event.at for event in carrier),
            unit=self.endpoint.unit,
            calls=tuple(record.id for record in made),
            before=self.before,
            failed=self.failed,
        )
        if self.before is not None:
            reported = reported_usage((record.timeline for record in made), self.endpoint.unit)
            told = await self._settled(told, self.before + (reported or 0.0) * (1 - ROUNDED_OFF))
        carrier.append(told)
        return told

    async def _settled(self, told: UsageTold, least: float) -> UsageTold:
        clock = MonotonicClock()
        began = clock.now()
        settled = False
        try:
            figure = await told_usage(self.endpoint, self.target, self.client)
            while not (settled and figure >= least) and clock.now() - began < self.endpoint.settle:
                await asyncio.sleep(min(PAUSE_SECONDS, self.endpoint.settle / 4))
                again = await told_usage(self.endpoint, self.target, self.client)
                settled, figure = again == figure, again
        except HookFailedError as error:
            return msgspec.structs.replace(told, failed=f"after the calls, {error}")
        waited = round(clock.now() - began, 3)
        return msgspec.structs.replace(told, after=figure, settled=settled, waited=waited)
