"""A fault that is planted in a real call, and the one finding that it must lead to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from harness.call import Caller

Conversation = Callable[[Caller], Awaitable[None]]


@dataclass(frozen=True)
class Planted:
    """`relay` and `fake`: faults as texts NAME or NAME=VALUE, empty where that side behaves.

    `calls`: how many requests of the call meet the fault.
    """

    relay: str
    fake: str
    finds: str
    conversation: Conversation
    calls: int = 1

    @property
    def requirement(self) -> str:
        """The id of the requirement that must fail."""
        return self.finds.partition(": ")[0]

    @property
    def cause(self) -> str:
        """The slug of the cause that must be named."""
        return self.finds.partition(": ")[2]

    def __str__(self) -> str:
        """A name in reports and file names: the faults, and the conversation that meets them."""
        faults = [f"relay {self.relay}" if self.relay else "", f"fake {self.fake}" if self.fake else ""]
        return f"{', '.join(filter(None, faults))} ({self.conversation.__name__})"


def relay(fault: str, finds: str, conversation: Conversation, *, fake: str = "", calls: int = 1) -> Planted:
    """A fault of the reference relay; `finds` is `REQUIREMENT: CAUSE`."""
    return Planted(fault, fake, finds, conversation, calls)


def fake(fault: str, finds: str, conversation: Conversation) -> Planted:
    """A fault of the fake OpenAI."""
    return Planted("", fault, finds, conversation)
