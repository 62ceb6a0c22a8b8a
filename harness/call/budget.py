"""What a run may cost: no call is placed that could take it beyond."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from harness.core.limits import optional_limit
from harness.core.timeline import Timeline
from harness.requirements.bills import call_cost_usd


class Budget:
    """Asked before each call, told after it. Without a limit every call may be placed.

    A call is assumed to cost as much as the most expensive one so far. So the first calls are made one after
    the other, until one has cost something.
    """

    def __init__(self, limits: Mapping[str, float]) -> None:
        self._per_call = optional_limit(limits, "cost_per_call_usd")
        self._per_run = optional_limit(limits, "cost_per_run_usd")
        self._spent = 0.0
        self._most_expensive = 0.0
        self._unknown = False
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
        costs = [call_cost_usd(timeline) for timeline in timelines]
        cost = sum(known for known in costs if known is not None) + self._most_expensive * lost
        self._unknown |= None in costs
        self._spent += cost
        self._most_expensive = max(self._most_expensive, cost)
        self._under_way = max(0, self._under_way - 1)
        self._changed.set()

    def _refusal(self) -> str:
        if self._unknown:
            return "what a call costs is not known, so the budget cannot be kept"
        if self._per_call is not None and self._most_expensive > self._per_call:
            return f"a call cost {self._most_expensive:.4f} USD, and one may cost {self._per_call:g} USD"
        expected = self._spent + (self._under_way + 1) * self._most_expensive
        if self._per_run is not None and expected > self._per_run:
            return (
                f"{self._spent:.4f} of {self._per_run:g} USD are spent, and a call costs up to "
                f"{self._most_expensive:.4f} USD"
            )
        return ""
