"""Counting ICE connectivity checks."""

from __future__ import annotations


class CheckCounter:
    """ICE connectivity checks on the wire, told from STUN's message types (RFC 8489, section 5)."""

    def __init__(self) -> None:
        self.sent = 0
        self.answered = 0
        self.refused = 0
        self.received = 0
        self.replied = 0

    def count(self, first: int, second: int, *, outgoing: bool) -> None:
        """Count one STUN message by the first two bytes of its header."""
        if (first, second) == (0x00, 0x01):
            if outgoing:
                self.sent += 1
            else:
                self.received += 1
        elif (first, second) == (0x01, 0x01):
            if outgoing:
                self.replied += 1
            else:
                self.answered += 1
        elif not outgoing and (first, second) == (0x01, 0x11):
            self.refused += 1
