"""The browser's clock on ours: each document's, bounded by round trips. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class PageClock:
    """One document's clock. Its milliseconds are those of wall time as it was when the document began.

    `offset` is what is added to its seconds to get ours. The wall clock gives it at once; round trips then
    say how far off it can be at most, and move it where it was further off than that.
    """

    offset: float
    round_trips: int = 0
    earliest: float = float("-inf")  # what the offset can be, by all round trips together
    latest: float = float("inf")
    corrected: float = 0.0  # seconds by which it was moved

    def seconds(self, page_ms: float) -> float:
        """A moment of the document's on our monotonic clock."""
        return page_ms / 1000 + self.offset

    def answered(self, asked_ms: float, answered_ms: float, ours: float) -> None:
        """The document asked at `asked_ms` and had the answer at `answered_ms`; in between it was `ours`."""
        self.round_trips += 1
        self.earliest = max(self.earliest, ours - answered_ms / 1000)
        self.latest = min(self.latest, ours - asked_ms / 1000)
        within = min(max(self.offset, self.earliest), self.latest)
        self.corrected += within - self.offset
        self.offset = within

    @property
    def error(self) -> float:
        """Seconds by which a moment may be off; endless before the first round trip."""
        return max(self.latest - self.offset, self.offset - self.earliest)
