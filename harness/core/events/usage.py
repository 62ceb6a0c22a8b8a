"""What the target's own backend says that a run has used."""

from __future__ import annotations

from typing import Literal

from harness.core.events.base import Event

UsageUnit = Literal["usd", "tokens"]


class UsageTold(Event, frozen=True, kw_only=True):
    """The target's usage endpoint, asked before and after the calls of a run: one of them carries this.

    `before` and `after` are its figures, None where it gave none; `failed` says why. `settled`: the last two
    answers were the same. `waited`: seconds that this took after the calls. `calls`: the ids of all that were
    made in between.
    """

    unit: UsageUnit
    calls: tuple[str, ...]
    before: float | None = None
    after: float | None = None
    settled: bool = False
    waited: float = 0.0
    failed: str = ""
