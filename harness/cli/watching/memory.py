"""What a watch knows: the last looks, what they cost, and what each way of alerting was told last. No I/O.

An alert is due where what holds now is not what was told last. So a failure that goes on is told once, one
that could not be told is told later, and what came and went in quiet hours is not told at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from harness.cli.watching.looking import Look
from harness.run.model import RunVerdict

DAY = 24 * 3600
BLIND_AFTER = 3  # looks in a row that could not tell: then that is news too
KEPT = 200  # looks, for the page
PAUSED = "paused"
Spans = Sequence[tuple[int, int]]


class Standing(msgspec.Struct, frozen=True):
    """What somebody can be told of: a word and its causes, with nothing that differs from look to look."""

    word: str
    causes: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        return self.word == RunVerdict.CONFORMING

    def __str__(self) -> str:
        return f"{self.word} ({'; '.join(self.causes)})" if self.causes else self.word


GOOD = Standing(RunVerdict.CONFORMING.value)


class Memory(msgspec.Struct, kw_only=True):
    """All of it; what a watch that is started again goes on with.

    `bills`: (when, USD) of the last 24 hours. `told`: way of alerting → what it was told last. `since`: when
    what holds now began, in seconds since 1970.
    """

    target: str = ""
    looks: list[Look] = []
    bills: list[tuple[int, float]] = []
    made: dict[str, int] = {}
    told: dict[str, Standing] = {}
    alerts: int = 0
    undelivered: int = 0
    holds: Standing = GOOD
    since: int = 0
    paused: str = ""

    @property
    def last(self) -> Look | None:
        return self.looks[-1] if self.looks else None

    def add(self, look: Look, *, after: int = 1) -> None:
        """A look was made. What it says holds once `after` looks in a row say so."""
        self.paused = ""
        self.looks = [*self.looks, look][-KEPT:]
        self.made[look.verdict.value] = self.made.get(look.verdict.value, 0) + 1
        if look.cost_usd:
            self.bills.append((look.at, look.cost_usd))
        found = standing_of(look)
        # A look that could not tell neither ends nor begins anything: the relay may be as it was.
        is_blind = look.verdict is RunVerdict.INCONCLUSIVE
        telling = [e for e in self.looks if is_blind or e.verdict is not RunVerdict.INCONCLUSIVE]
        wanted = max(after, BLIND_AFTER) if is_blind else after
        if len(telling) >= wanted and all(standing_of(each) == found for each in telling[-wanted:]):
            self._now(found, look.at)

    def pause(self, why: str, at: int) -> None:
        """No look was made, since it might cost too much."""
        self.paused = why
        self._now(Standing(PAUSED), at)

    def spent(self, now: int) -> float:
        """USD of the last 24 hours."""
        self.bills = [(at, cost) for at, cost in self.bills if now - at < DAY]
        return sum(cost for _, cost in self.bills)

    def refusal(self, budget: float | None, now: int) -> str:
        """Why no look may be made: it may cost as much as the dearest one of the last 24 hours."""
        if budget is None:
            return ""
        spent, dearest = self.spent(now), max((cost for _, cost in self.bills), default=0.0)
        if spent + dearest <= budget:
            return ""
        return (
            f"{spent:.4f} of {budget:g} USD are spent within 24 hours, "
            f"and a look costs up to {dearest:.4f} USD"
        )

    def due(self, ways: Iterable[str]) -> list[str]:
        """The ways of alerting that were told something else last. None knows of more than a good relay."""
        return [way for way in ways if self.told.get(way, GOOD) != self.holds]

    def _now(self, standing: Standing, at: int) -> None:
        if standing != self.holds or not self.since:
            self.holds, self.since = standing, at


def standing_of(look: Look) -> Standing:
    """What a look says of the relay."""
    return Standing(look.verdict.value, look.causes)


def is_quiet(minute: int, spans: Spans) -> bool:
    """Whether a minute of the day lies in one of the spans, which may go over midnight."""
    return any(a <= minute < b if a < b else minute >= a or minute < b for a, b in spans)


def pace(memory: Memory, every: int, budget: float | None) -> str:
    """What a day of looks would cost at this pace, where it is beyond the budget; empty where it is not."""
    dearest = max((cost for _, cost in memory.bills), default=0.0)
    daily = dearest * DAY / every
    if budget is None or daily <= budget:
        return ""
    minutes = math.ceil(dearest * DAY / budget / 60)
    return (
        f"looks every {every} s cost up to {daily:.2f} USD a day, and the budget is {budget:g}: "
        f"--every {minutes}m would keep it"
    )
