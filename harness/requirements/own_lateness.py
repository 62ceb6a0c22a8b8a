"""How late this machine's own ends were on a call: what that explains, the target is not blamed for."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.events import PacingMeasured
from harness.core.timeline import Timeline

OFTEN_MS = 4.0  # in the median: a sender that is so late is often late by a frame, and sends two in a row


@dataclass(frozen=True)
class OwnLateness:
    """Our sender's and, where we know of it, the fake's: what waits for both adds up. Milliseconds.

    What is late in sending is as late in hearing: each end does both in one event loop.
    """

    median: float = 0.0
    p99: float = 0.0
    worst: float = 0.0

    def __str__(self) -> str:
        return (
            f"this machine's own ends were late by {self.median:.0f} ms in the median, "
            f"{self.p99:.0f} ms (p99), {self.worst:.0f} ms at most"
        )

    @property
    def is_frequent(self) -> bool:
        """Whether packets that come two in a row say nothing."""
        return self.median >= OFTEN_MS


IN_TIME = OwnLateness()


def own_lateness(timeline: Timeline) -> OwnLateness:
    """As it was last measured at each end."""
    ends = [timeline.last(PacingMeasured, side=side) for side in ("caller", "upstream")]
    known = [m for m in ends if m is not None]
    return OwnLateness(sum(m.p50 for m in known), sum(m.p99 for m in known), sum(m.max for m in known))
