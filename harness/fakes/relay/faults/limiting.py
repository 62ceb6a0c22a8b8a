"""Faults in how the relay limits a caller's calls."""

from __future__ import annotations

from harness.fakes.relay.guard import Guarding
from harness.fakes.relay.hooks import RelayFault, relay_fault


@relay_fault(
    "guard-raced",
    "keeps a caller to one call, but looks for the older one before it has the newer one's id",
    stage="lifecycle",
)
class GuardRaced(RelayFault):
    guards: Guarding | None = "raced"


@relay_fault(
    "guard-in-memory", "refuses a caller's second call, each of two processes for itself", stage="lifecycle"
)
class GuardInMemory(RelayFault):
    guards: Guarding | None = "apart"


@relay_fault(
    "time-limit-refused",
    "ends each call when its time is up, with another key than the one that made it",
    stage="lifecycle",
    default=1.0,
    value_help="seconds",
)
class TimeLimitRefused(RelayFault):
    hangs_up_with = "sk-another-project-of-the-relay"

    def ends_after(self) -> float | None:
        return float(self.value)


@relay_fault(
    "time-limit",
    "ends each call when its time is up, as a relay should that has a time limit",
    stage="lifecycle",
    default=1.0,
    value_help="seconds",
)
class TimeLimit(RelayFault):
    def ends_after(self) -> float | None:
        return float(self.value)
