"""Where a fault can take hold of an exchange. Each hook leaves things as they are; a fault overrides one."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from harness.fakes.faults.registry import RELAY_FAULTS, Contract, FaultValue
from harness.fakes.relay.guard import Guarding
from harness.fakes.relay.refusal import Refusal
from harness.fakes.relay.settings import RelaySettings
from harness.fakes.relay.upstream import Form, UpstreamReply


class RelayFault:
    """One way for a relay to misbehave, in one exchange. The hooks stand in the order of asking."""

    admits_anyone = False  # skips authentication
    accepts_any_offer = False  # skips the look at the offer
    copies = 1  # how often the call is made upstream
    abandons = False  # leaves a call alone that nobody waits for any more
    hangs_up_with = ""  # another key than the relay's own
    holds_calls = False  # ends the call when the relay itself stops
    guards: Guarding | None = None  # how a caller is kept to one call

    def __init__(self, value: FaultValue, settings: RelaySettings) -> None:
        self.value = value
        self.settings = settings

    def ends_after(self) -> float | None:
        """Seconds after which the relay ends the call."""

    async def receive(self, request: Request) -> Response | None:
        """Before anything is done: a response ends the exchange."""

    def offer(self, offer: bytes) -> bytes:
        """The offer as it will be forwarded."""
        return offer

    def session(self, session: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002  (for faults)
        """The session as it will be forwarded; `sent_along` is what the client sent besides the offer."""
        return session

    def session_part(self, part: bytes) -> bytes | None:
        """The session as bytes; None leaves the part out."""
        return part

    def form(self, form: Form) -> Form:
        """The whole body as it will be forwarded."""
        return form

    def request(self, method: str, url: str) -> tuple[str, str]:
        """Method and URL of the request upstream."""
        return method, url

    def answer(self, answer: bytes) -> bytes:
        """The answer as it will be returned."""
        return answer

    async def created(self, reply: UpstreamReply) -> Response | None:
        """After upstream has made the call: a response ends the exchange."""

    def mint(self, asked: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002  (for faults)
        """What upstream is asked for, where a page wants a key of its own; `sent_along` is its body."""
        return asked

    async def minted(self, key: dict[str, Any]) -> object:
        """What the page is answered."""
        return key

    async def refuse(self, refusal: Refusal, reply: UpstreamReply | None) -> Response | None:
        """Another response than the honest one. `reply` is upstream's, if any came."""

    async def respond(self, response: Response) -> Response:
        """The last thing before the response goes out."""
        return response


RELAY: Contract[type[RelayFault]] = Contract(RELAY_FAULTS)
relay_fault = RELAY.fault
