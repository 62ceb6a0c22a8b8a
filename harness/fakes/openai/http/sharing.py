"""What is one for the whole fake, however many worker processes it has: planned faults and issued keys."""

from __future__ import annotations

from typing import Protocol

from harness.fakes.faults.plan import CallFaults, FaultPlan
from harness.fakes.openai.keys import EphemeralKey
from harness.fakes.openai.record import UpstreamRecord


class Sharing(Protocol):
    """Asked by the endpoints; answered here where there is one process, else by the front."""

    async def faults_of(self, record: UpstreamRecord) -> CallFaults:
        """The faults that a new call meets, counted down; ask once per call."""

    async def issued(self, key: EphemeralKey) -> None:
        """Return when every process knows the key."""


class OneProcess:
    """Nobody to share with."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan

    async def faults_of(self, record: UpstreamRecord) -> CallFaults:
        """From the plan."""
        return self._plan.take(record.ufrag or None)

    async def issued(self, key: EphemeralKey) -> None:
        """It is known already."""
