"""All workers of one fake: what they share, who gets the next connection, and what they all say together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.core.errors import HarnessError, UsageError
from harness.fakes.faults.plan import FaultPlan
from harness.fakes.openai.record import DistinctOffers
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.workers.channel import WorkerChannelClosedError
from harness.fakes.openai.workers.ledger import LOST
from harness.fakes.openai.workers.member import Member
from harness.fakes.openai.workers.messages import Begun, Done, Ended, Issued, Message, Met, Reset, Start
from harness.fakes.openai.workers.routing import worker_of

MOST_WORKERS = 64

Report = Callable[[str], None]


class Crew:
    """The workers. `plan` is the one plan of faults: every worker asks here for the faults of a call.

    `report` is told of a worker that died, and `broken` is called when none is left.
    """

    def __init__(
        self,
        settings: FakeSettings,
        workers: int,
        plan: FaultPlan,
        report: Report,
        broken: Callable[[], None],
    ) -> None:
        if not 1 <= workers <= MOST_WORKERS:
            raise UsageError(f"there cannot be {workers} workers", f"give 1 to {MOST_WORKERS}")
        self._plan = plan
        self._report = report
        self._broken = broken
        self._distinct = DistinctOffers()
        self._ended_calls_kept = settings.ended_calls_kept
        own = replace(settings, faults=(), management_token=None)  # both are the front's business
        starts = (Start(settings=own, index=index, workers=workers) for index in range(workers))
        self.members = [Member(start, self._answer, self._died) for start in starts]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While entered, all processes run; when left, none does. Raises UsageError and HarnessError."""
        try:
            started = await asyncio.gather(*(m.start() for m in self.members), return_exceptions=True)
            for error in started:
                if error is not None:
                    raise error
            yield
        finally:
            await asyncio.gather(*(member.stop() for member in self.members))

    @property
    def alive(self) -> list[Member]:
        """Those that can be given connections."""
        return [member for member in self.members if member.alive]

    def choose(self, call_id: str | None) -> Member | None:
        """Who has this call; where that is nobody, the least busy. None where all are dead."""
        if call_id is not None and (owner := self.members[worker_of(call_id, len(self.members))]).alive:
            return owner
        return min(self.alive, key=lambda member: (member.ledger.live, member.given), default=None)

    # --- what is said of all of them: `Inspected` ---

    async def show(self, chosen: Mapping[str, str], *, events: bool) -> list[dict[str, Any]]:
        """See Inspected. Also the calls of dead workers, as far as they are known here."""
        shown = await asyncio.gather(*(m.show(chosen, events=events) for m in self.members))
        calls = sorted((call for some in shown for call in some), key=lambda call: call["started_at"])
        ended = sorted((c["ended_at"] for c in calls if c["ended_at"] is not None), reverse=True)
        oldest = ended[: self._ended_calls_kept][-1] if ended else 0.0
        return [call for call in calls if call["ended_at"] is None or call["ended_at"] >= oldest]

    async def arrived(self, since: float, answer: str) -> list[dict[str, Any]]:
        """See Inspected."""
        shown = await asyncio.gather(*(m.arrived(since, answer) for m in self.members))
        return sorted((request for some in shown for request in some), key=lambda request: request["at"])

    async def reset(self) -> None:
        """See Inspected."""
        await self._ask_all(self.alive, Reset())
        self._distinct.clear()
        for member in self.members:
            member.ledger.forget_ended()

    async def end(self, ufrags: Sequence[str]) -> int:
        """See Inspected."""
        return sum(await asyncio.gather(*(member.end(ufrags) for member in self.members)))

    def health(self) -> dict[str, Any]:
        """See Inspected."""
        alive = len(self.alive)
        status = "ok" if alive == len(self.members) else "degraded" if alive else "down"
        workers = [member.health() for member in self.members]
        live = sum(worker["live"] for worker in workers)
        return {"status": status, "live": live, **self._distinct.as_json(), "workers": workers}

    # --- what workers ask and tell ---

    async def _answer(self, member: Member, message: Message) -> Message | None:
        match message:
            case Begun(call=call):
                faults = self._plan.take(call["ufrag"] or None)
                self._distinct.add(call["ufrag"])
                member.ledger.begun({**call, "faults": faults.values()})
                return Met(faults=faults.values(), seed=faults.seed)
            case Ended(call=call):
                member.ledger.ended(call)
                return None
            case Issued():
                await self._ask_all([other for other in self.alive if other is not member], message)
                return Done()
        raise HarnessError(f"a worker cannot ask {type(message).__name__}")

    async def _ask_all(self, members: list[Member], message: Message) -> None:
        async def ask(member: Member) -> None:
            with contextlib.suppress(WorkerChannelClosedError):  # the dead need not know
                await member.ask(message, Done)

        await asyncio.gather(*(ask(member) for member in members))

    def _died(self, member: Member) -> None:
        lost = sum(call["reason"] == LOST for call in member.ledger.show(events=False))
        self._report(
            f"worker {member.index} (process {member.process}) ended with status {member.status}; "
            f"calls lost: {lost}, workers left: {len(self.alive)}"
        )
        if not self.alive:
            self._broken()
