"""What is wrong with the packets of a call, whoever sent them."""

from __future__ import annotations

from harness.core.event import Event


class PacketMalformed(Event, frozen=True, kw_only=True):
    """The other end sent over SCTP what its RFC does not allow; it was dropped. Once for each problem."""

    problem: str
