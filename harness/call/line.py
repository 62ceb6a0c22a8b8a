"""What one call is made with: its timeline, clock and end, the target, and the fixtures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from harness.call.upstream import FakeUpstream
from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.caller_end import CallerEnd
from harness.core.callers import CallerKind
from harness.core.clock import RelativeClock
from harness.core.events import Event
from harness.core.timeline import Timeline
from harness.network.link import Link
from harness.signaling.sending import Sender
from harness.signaling.sessions import end_sessions
from harness.speech.library import Library


@dataclass(frozen=True)
class CallLine:
    """One call's parts, handed to its caller. `exchange` takes an offer and gives the answer or None.

    `kind` says what the caller's `end` can do. `link` is the caller's network; the end is put behind it when
    it is first impaired.

    `sender`, `target` and `upstream` are for probes; `upstream` is None where the fake is not there, and
    `restart_relay` where the target is not a relay that we may restart. `explain_refusal` makes further
    offers where the relay may have tripped over how this one is written, and `call_beside` several calls of
    this caller at once; None for calls that are light.
    """

    call: str
    timeline: Timeline
    clock: RelativeClock
    record: Callable[[Event], None]
    kind: CallerKind
    end: CallerEnd
    link: Link
    exchange: Callable[[str], Awaitable[str | None]]
    library: Library
    timeouts: Timeouts
    sender: Sender
    target: Target
    upstream: FakeUpstream | None
    seed: int
    restart_relay: Callable[[], Awaitable[None]] | None = None
    explain_refusal: Callable[[CallLine], Awaitable[None]] | None = None
    call_beside: Callable[[CallLine], Awaitable[None]] | None = None

    def now(self) -> float:
        """Seconds on the timeline."""
        return self.clock.now()

    async def close(self) -> None:
        """End the call: the sessions that it made at a WHIP target, then its end, then its network."""
        try:
            await end_sessions(self.sender, self.target)
        finally:
            try:
                await self.end.close()
            finally:
                self.link.close()
