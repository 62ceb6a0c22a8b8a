"""Where a fault can take hold of a WebRTC call, outside the conversation."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from harness.fakes.faults.plan import CallFaults
from harness.fakes.faults.registry import OPENAI_FAULTS, Contract, FaultValue
from harness.peer.sender import Outlet

ConnectStage = Literal["ice", "dtls", "sctp"]


class RtpLink(Outlet, Protocol):
    """Where RTP goes: the transport, or a fault in front of it."""

    def send_rtp(self, packet: bytes, /) -> bool: ...


class CallSockets(Protocol):
    """The sockets of a call."""

    def block(self) -> Callable[[], None]:
        """Let no datagram in or out, as a firewall does; returns what lifts that."""

    def leave_checks_unanswered(self) -> None:
        """Hear connectivity checks and answer none of them."""


class CallControl(Protocol):
    """What a fault may do to the call it is in."""

    def end(self, reason: str, *, goodbye: bool = True) -> None:
        """End the call; without a goodbye the other end has to notice by itself."""

    def close_channel(self) -> None:
        """Close the data channel and leave the rest as it is."""

    def send_chunk(self, chunk: bytes) -> None:
        """Send an SCTP chunk as it is, also one that is none."""


class AnswerFault:
    """One way for the answer to be wrong. `silent`: it cannot lead to us, so ICE may not find us either."""

    silent = False

    def __init__(self, value: FaultValue, rng: random.Random) -> None:
        self.value = value
        self.rng = rng

    def answer(self, answer: str) -> str:
        """The answer as it will be returned."""
        raise NotImplementedError


class MediaFault:
    """One way for the fake's WebRTC end to misbehave. The hooks stand in the order of asking."""

    releases = True  # whether a hang-up by the caller ends the call

    def __init__(self, value: FaultValue, rng: random.Random) -> None:
        self.value = value
        self.rng = rng

    def gathered(self, wire: CallSockets) -> None:
        """The sockets are there, and nothing has come or gone yet."""

    async def before(self, stage: ConnectStage) -> bool:  # noqa: ARG002  (for faults)
        """Whether to go on to a stage; may take its time."""
        return True

    async def before_channel(self) -> None:
        """Between the channel's opening and our taking notice of it."""

    def link(self, link: RtpLink) -> RtpLink:
        """Where RTP is sent."""
        return link

    def packets(self, packets: Sequence[bytes], call_name: str) -> Sequence[bytes | None]:  # noqa: ARG002  (for faults)
        """A reply's packets as they are played; None is 20 ms in which nothing is sent."""
        return packets

    def idle_packet(self, packet: bytes) -> bytes | None:
        """What is sent while nobody speaks."""
        return packet

    def connected(self, call: CallControl) -> None:
        """The data channel is open."""

    def closed(self) -> None:
        """The call is over: let go of what was held."""


ANSWER: Contract[type[AnswerFault]] = Contract(OPENAI_FAULTS)
MEDIA: Contract[type[MediaFault]] = Contract(OPENAI_FAULTS)


def answer_faults(faults: CallFaults) -> list[AnswerFault]:
    """Those of a call that change the answer."""
    return [unit(value, faults.random(name)) for unit, value, name in ANSWER.met(faults)]


def media_faults(faults: CallFaults) -> list[MediaFault]:
    """Those of a call that act on its WebRTC end."""
    return [unit(value, faults.random(name)) for unit, value, name in MEDIA.met(faults)]
