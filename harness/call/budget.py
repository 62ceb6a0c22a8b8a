"""What a run may cost: no call is placed that could take it beyond."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from harness.core.limits import optional_limit
from harness.core.prices import DEAREST
from harness.core.timeline import Timeline
from harness.requirements.bills import assumed_cost_usd, call_cost_usd, unpriced


class Budget:
    """Asked before each call, told after it. Without a limit every call may be placed.

    A call is assumed to cost as much as the most expensive one so far. So the first calls are made one after
    the other, until one has cost something. Where a model has no known price, that of the dearest one is
    assumed, and `tell` is told so before the next call.
    """

    def __init__(self, limits: Mapping[str, float], tell: Callable[[str], None] = lambda _line: None) -> None:
        self._tell = tell
        self._per_call = optional_limit(limits, "cost_per_call_usd")
        self._per_run = optional_limit(limits, "cost_per_run_usd")
        self._spent = 0.0
        self._most_expensive = 0.0
        self._unpriced: set[str] = set()
        self._under_way = 0
        self._closed = ""
        self._changed = asyncio.Event()

    @property
    def is_closed(self) -> bool:
        """Whether calls are refused for another reason than their cost."""
        return bool(self._closed)

    async def admit(self) -> str:
        """Why the next call may not be placed; empty where it may, and then `charge` must follow.

        Waits for calls under way where only their cost can tell.
        """
        if self._closed:
            return self._closed
        if self._per_call is None and self._per_run is None:
            return ""
        while self._under_way and (not self._most_expensive or self._refusal()):
            self._changed.clear()
            await self._changed.wait()
        refusal = self._refusal()
        self._under_way += not refusal
        return refusal

    def close(self, why: str) -> None:
        """No further call is placed."""
        self._closed = why

    def charge(self, *timelines: Timeline, lost: bool = False) -> None:
        """An admitted call is over; with it those that its caller made after it. It may have come to none.

        One that was `lost` under way is assumed to have cost as much as the most expensive one.
        """
        cost = sum(map(self._cost, timelines)) + self._most_expensive * lost
        self._spent += cost
        self._most_expensive = max(self._most_expensive, cost)
        self._under_way = max(0, self._under_way - 1)
        self._changed.set()

    def _cost(self, timeline: Timeline) -> float:
        cost = call_cost_usd(timeline)
        if cost is not None:
            return cost
        why = unpriced(timeline)
        if why not in self._unpriced:
            self._unpriced.add(why)
            kept = self._per_call is not None or self._per_run is not None
            self._tell(
                f"{why}; " + (f"the budget counts it as {DEAREST}" if kept else "its calls have no cost")
            )
        return assumed_cost_usd(timeline)

    def _refusal(self) -> str:
        if self._per_call is not None and self._most_expensive > self._per_call:
            return f"a call cost {self._most_expensive:.4f} USD, and one may cost {self._per_call:g} USD"
        expected = self._spent + (self._under_way + 1) * self._most_expensive
        if self._per_run is not None and expected > self._per_run:
            return (
                f"{self._spent:.4f} of {self._per_run:g} USD are spent, and a call costs up to "
                f"{self._most_expensive:.4f} USD"
            )
        return ""
