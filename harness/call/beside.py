"""Several calls of one caller at the same time: one after the other, then all at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from harness.call.waiting import Waiter
from harness.core.caller_end import SdpUnusableError
from harness.core.clock import MonotonicClock, RelativeClock
from harness.core.events import CallBeside, CallStarted, HttpResponse
from harness.core.limits import optional_limit
from harness.core.timeline import Timeline

if TYPE_CHECKING:
    from harness.call.context import CallContext
    from harness.call.line import CallLine

CALLS = 4  # a page has one, a careless double click two
MOST_CALLS = 20
SETTLE_SECONDS = 1.0  # within which a relay that ends the older call has done so


async def call_beside(context: CallContext, line: CallLine) -> None:
    """Record on the timeline what became of each; with a limit configured, of one call more than that."""
    started = line.timeline.first(CallStarted)
    allowed = optional_limit(started.limits if started else {}, "calls_per_caller")
    calls = CALLS if allowed is None else min(max(CALLS, int(allowed) + 1), MOST_CALLS)
    for number, round_ in enumerate(("in-turn", "at-once")):
        others = [_Other(context, line, number * calls + each) for each in range(1, calls + 1)]
        try:
            if round_ == "in-turn":
                for other in others:
                    await other.connect()
            else:
                await asyncio.gather(*(other.connect() for other in others))
            if any(other.is_live for other in others):
                await asyncio.sleep(SETTLE_SECONDS)
            for other in others:
                line.record(other.seen(line.now(), "at-once" if number else "in-turn"))
        finally:
            await asyncio.gather(*(other.close() for other in others))


class _Other:
    """One more call of the same caller, named after the first so that whoever follows that one finds it."""

    def __init__(self, context: CallContext, line: CallLine, number: int) -> None:
        self._number = number
        self._timeline = Timeline()
        self._timeouts = line.timeouts
        self._line = context.open_line(
            self._timeline,
            RelativeClock(MonotonicClock()),
            call=f"{line.call}-beside-{number}",
            shape=line.end.shape,
            ufrag=f"{line.end.ufrag}+{number}",
            light=True,
        )

    @property
    def is_live(self) -> bool:
        return self._line.end.channel_state == "open"

    async def connect(self) -> None:
        answer = await self._line.exchange(await self._line.end.create_offer())
        if answer is None or not answer.startswith("v=0"):
            return
        try:
            self._line.end.accept_answer(answer)
        except SdpUnusableError:
            return
        await Waiter(self._timeline).condition(self._is_decided, self._timeouts.channel)

    def seen(self, at: float, round_: Literal["in-turn", "at-once"]) -> CallBeside:
        response = self._timeline.first(HttpResponse)
        return CallBeside(
            at=at,
            round=round_,
            number=self._number,
            status=response.status if response else None,
            connected=self._timeline.state("channel", "open") is not None,
            live=self.is_live,
        )

    async def close(self) -> None:
        await self._line.close()

    def _is_decided(self) -> bool:
        return self.is_live or any(
            self._timeline.state(layer, state) for layer in ("ice", "dtls") for state in ("failed", "closed")
        )
