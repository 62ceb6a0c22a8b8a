"""A fault that is planted in a real call, and the one finding that it must lead to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from harness.call import Caller

Conversation = Callable[[Caller], Awaitable[None]]
Side = Literal["relay", "fake"]


class Planned(Protocol):
    """A call to be made: what goes wrong in it, what the caller does, and what is configured for it alone."""

    @property
    def faults(self) -> tuple[tuple[Side, str], ...]: ...
    @property
    def conversation(self) -> Conversation: ...
    @property
    def limits(self) -> tuple[tuple[str, float], ...]: ...
    @property
    def target(self) -> tuple[tuple[str, Any], ...]: ...
    @property
    def ice(self) -> str: ...
    @property
    def usage(self) -> str: ...
    @property
    def alone(self) -> bool: ...
    @property
    def offer(self) -> str: ...
    @property
    def lasting(self) -> bool: ...
    @property
    def caller(self) -> str: ...
    @property
    def on(self) -> str: ...


@dataclass(frozen=True)
class Faultless:
    """A call in which nothing goes wrong: `harmless` is a fault that must lead to no finding."""

    conversation: Conversation
    harmless: str = ""
    limits: tuple[tuple[str, float], ...] = ()
    target: tuple[tuple[str, Any], ...] = ()
    ice: str = ""
    usage: str = ""
    alone: bool = False
    offer: str = ""
    lasting: bool = False
    caller: str = "aiortc"
    on: str = ""

    @property
    def faults(self) -> tuple[tuple[Side, str], ...]:
        """The harmless one."""
        return (("fake", self.harmless),) if self.harmless else ()

    def __str__(self) -> str:
        return f"{self.harmless or 'none'}: {self.conversation.__name__}"


@dataclass(frozen=True)
class Planted:
    """`relay` and `fake`: faults as texts NAME or NAME=VALUE, empty where that side behaves.

    `limits` and `target`: names and values of what is configured for this call alone. `ice`: how the ICE
    server of this call behaves (`planted_ice`); `usage`: how its usage endpoint does. `alone`: before the
    others, since what reaches the fake does not name the call, which is told by its time. `offer`: how its
    offer is written, else as its turn has it. `lasting`: a fault meets the call's further offers, too. `on`:
    the day (ISO 8601) on which the call counts as made, where its verdict depends on that; else today.
    `caller`: of which kind, as in `core.callers`.
    """

    relay: str
    fake: str
    finds: str
    conversation: Conversation
    limits: tuple[tuple[str, float], ...] = ()
    target: tuple[tuple[str, Any], ...] = ()
    ice: str = ""
    usage: str = ""
    alone: bool = False
    offer: str = ""
    lasting: bool = False
    caller: str = "aiortc"
    on: str = ""

    @property
    def requirement(self) -> str:
        """The id of the requirement that must fail."""
        return self.finds.partition(": ")[0]

    @property
    def cause(self) -> str:
        """The slug of the cause that must be named."""
        return self.finds.partition(": ")[2]

    @property
    def faults(self) -> tuple[tuple[Side, str], ...]:
        """Who misbehaves, and how."""
        sides: tuple[tuple[Side, str], ...] = (("relay", self.relay), ("fake", self.fake))
        return tuple((side, text) for side, text in sides if text)

    @property
    def what(self) -> str:
        """The faults in words."""
        faults = [f"{side} {text}" for side, text in self.faults]
        faults += [f"ICE server {self.ice}"] if self.ice else []
        faults += [f"usage endpoint {self.usage}"] if self.usage else []
        faults += [f"offer as {self.offer}"] if self.lasting and self.offer else []
        faults += [f"on {self.on}"] if self.on else []
        faults += ["declared choices"] if "caller_chooses" in dict(self.target) else []
        faults += [f"a {self.caller} caller"] if self.caller != "aiortc" else []
        return ", ".join(faults) or "none"

    def __str__(self) -> str:
        return f"{self.what}: {self.conversation.__name__} -> {self.requirement}"


def relay(fault: str, finds: str, conversation: Conversation, **more: Any) -> Planted:
    """A fault of the reference relay; `finds` is `REQUIREMENT: CAUSE`."""
    return Planted(fault, more.pop("fake", ""), finds, conversation, **more)


def fake(fault: str, finds: str, conversation: Conversation, **more: Any) -> Planted:
    """A fault of the fake OpenAI."""
    return Planted("", fault, finds, conversation, **more)


def configured(finds: str, conversation: Conversation, **more: Any) -> Planted:
    """No fault: what is configured for the call is what the target does not keep."""
    return Planted("", "", finds, conversation, **more)
