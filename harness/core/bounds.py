"""How much of what a target sends is kept: more is no call, but an attack on whoever records it.

An hour's call, the longest that OpenAI allows, has some 40,000 server events in 10 MB.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_EVENTS = 100_000  # of the data channel, in a call
MOST_EVENT_BYTES = 16 << 20  # all of them together
LONGEST_LINE = 4 << 20  # bytes of a timeline: a body, or a packet's second, has a few hundred thousand
MOST_TIMELINE_BYTES = 64 << 20  # beside the events of the data channel; an hour's call has 20 MB
MOST_SDP_BYTES = 1 << 18  # a browser's offer with video has 8,000
MOST_SDP_LINES = 10_000
MOST_SECTIONS = 100
MOST_CANDIDATES = 100  # that are checked: as many pairs as an agent keeps (RFC 8445, section 6.1.2.5)


@dataclass
class EventAllowance:
    """What a call may still send over its data channel."""

    events: int = MOST_EVENTS
    size: int = MOST_EVENT_BYTES
    refused: int = 0

    def takes(self, size: int) -> bool:
        """Whether there is room for one more message of `size` bytes; what is refused is counted."""
        if self.refused or self.events < 1 or self.size < size:
            self.refused += 1
            return False
        self.events -= 1
        self.size -= size
        return True

    @property
    def problem(self) -> str:
        """What is wrong with a call that sends more."""
        return (
            f"the call sent more than {MOST_EVENTS:,} messages, or {MOST_EVENT_BYTES >> 20} MiB of them: "
            "from here on they are not recorded"
        )
