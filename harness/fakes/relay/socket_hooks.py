"""Where a fault can take hold of a relayed WebSocket; as it stands, each hook changes nothing."""

from __future__ import annotations

from starlette.responses import Response
from starlette.websockets import WebSocket

from harness.fakes.faults.registry import RELAY_FAULTS, Contract, FaultValue
from harness.fakes.relay.settings import RelaySettings

Message = str | bytes


class SocketFault:
    """One way for a relay to misbehave, on one connection. The hooks stand in the order of asking."""

    admits_anyone = False  # skips authentication
    admits_any_origin = False  # skips the look at the page's origin
    opens_upstream = True
    accepts_first = False  # the caller, before OpenAI has been asked
    closes_at_once = False  # what it has just accepted
    ends_with_caller = True  # closes the upstream when the caller goes
    ends_with_upstream = True  # closes the caller when the upstream goes
    longest: int | None = None  # characters of a message of the caller's
    pings = True
    answers_pings = True
    seconds_a_message = 0.0  # spent on each message of the caller's

    def __init__(self, value: FaultValue, settings: RelaySettings) -> None:
        self.value = value
        self.settings = settings

    async def upgrade(self, websocket: WebSocket) -> Response | None:  # noqa: ARG002  (for faults)
        """Before anything is done: a response refuses the upgrade."""
        return None

    def asks(self, headers: dict[str, str], subprotocols: list[str]) -> tuple[dict[str, str], list[str]]:
        """What the upstream is asked with."""
        return headers, subprotocols

    def answers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Headers beside the answer to the caller's upgrade."""
        return headers

    def to_upstream(self, message: Message) -> list[Message]:
        """A message of the caller's as it is sent on."""
        return [message]

    def to_caller(self, message: Message) -> list[Message]:
        """A message of the upstream's as it is sent on."""
        return [message]

    def close(self, code: int, reason: str) -> tuple[int, str] | None:
        """How the caller is told that the upstream closed; None cuts the connection."""
        return code, reason


RELAY_SOCKET: Contract[type[SocketFault]] = Contract(RELAY_FAULTS)
socket_fault = RELAY_SOCKET.fault
