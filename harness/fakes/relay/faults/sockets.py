"""Faults of a relay that passes WebSockets on."""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.websockets import WebSocket

from harness.fakes.faults.registry import FaultValue
from harness.fakes.relay.faults.front import LOGIN_PAGE
from harness.fakes.relay.settings import RelaySettings
from harness.fakes.relay.socket_hooks import Message, SocketFault, socket_fault
from harness.fakes.relay.sockets import NORMAL, http_page, json_error
from harness.fakes.serving import drop_connection

KEY_PROTOCOL = "openai-insecure-api-key."
PIECES = 3


@socket_fault(
    "socket-refused",
    "refuses the upgrade to a WebSocket",
    stage="request",
    default=500,
    value_help="a status from 400 to 599",
)
class SocketRefused(SocketFault):
    async def upgrade(self, websocket: WebSocket) -> Response | None:
        status = int(self.value) if 400 <= int(self.value) <= 599 else 500
        return json_error(status, "refused", "no WebSocket for you")


@socket_fault("socket-page", "answers the upgrade with a web page", stage="request")
class SocketPage(SocketFault):
    async def upgrade(self, websocket: WebSocket) -> Response | None:
        return http_page(LOGIN_PAGE)


@socket_fault(
    "socket-hangs",
    "takes the upgrade and does not answer",
    stage="request",
    default=300.0,
    value_help="seconds of silence",
)
class SocketHangs(SocketFault):
    async def upgrade(self, websocket: WebSocket) -> Response | None:
        try:
            async with asyncio.timeout(float(self.value)):
                while (await websocket.receive())["type"] != "websocket.disconnect":
                    pass
        except TimeoutError:
            pass
        return json_error(504, "timeout", "too late")


@socket_fault("socket-cut", "cuts the connection where the upgrade should be answered", stage="request")
class SocketCut(SocketFault):
    async def upgrade(self, websocket: WebSocket) -> Response | None:
        drop_connection(websocket.scope)
        return None


@socket_fault("socket-open", "lets anybody open a WebSocket", stage="security")
class SocketOpen(SocketFault):
    admits_anyone = True


@socket_fault(
    "socket-any-origin", "opens a WebSocket for a page of any origin, without a token", stage="security"
)
class SocketAnyOrigin(SocketFault):
    admits_anyone = True
    admits_any_origin = True


@socket_fault("socket-key-exposed", "returns its key with the answer to the upgrade", stage="security")
class SocketKeyExposed(SocketFault):
    def answers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return [*headers, (b"x-upstream-protocol", f"{KEY_PROTOCOL}{self.settings.api_key}".encode())]


@socket_fault("upstream-not-opened", "accepts the caller and never connects to OpenAI", stage="upstream")
class UpstreamNotOpened(SocketFault):
    opens_upstream = False


@socket_fault("beta-header", "asks for the retired beta: OpenAI-Beta: realtime=v1", stage="upstream")
class BetaHeader(SocketFault):
    def asks(self, headers: dict[str, str], subprotocols: list[str]) -> tuple[dict[str, str], list[str]]:
        return {**headers, "OpenAI-Beta": "realtime=v1"}, subprotocols


@socket_fault("key-as-subprotocol", "sends its key as a subprotocol, as only a page has to", stage="upstream")
class KeyAsSubprotocol(SocketFault):
    def asks(self, headers: dict[str, str], subprotocols: list[str]) -> tuple[dict[str, str], list[str]]:
        kept = {name: value for name, value in headers.items() if name != "Authorization"}
        return kept, [*subprotocols, f"{KEY_PROTOCOL}{self.settings.api_key}"]


@socket_fault("socket-key-wrong", "connects to OpenAI with a key that is none", stage="upstream")
class SocketKeyWrong(SocketFault):
    def asks(self, headers: dict[str, str], subprotocols: list[str]) -> tuple[dict[str, str], list[str]]:
        return {**headers, "Authorization": "Bearer sk-not-a-key-of-anybody-here"}, subprotocols


@socket_fault("socket-accepted-first", "accepts the caller before OpenAI refuses its key", stage="upstream")
class SocketAcceptedFirst(SocketKeyWrong):
    accepts_first = True


@socket_fault("closes-at-once", "closes the WebSocket that it has just accepted", stage="session")
class ClosesAtOnce(SocketFault):
    closes_at_once = True


@socket_fault("session-created-dropped", "keeps the first event to itself", stage="session")
class SessionCreatedDropped(SocketFault):
    def to_caller(self, message: Message) -> list[Message]:
        return [] if '"session.created"' in str(message)[:80] else [message]


@socket_fault("messages-binary", "sends events on as binary messages", stage="events")
class MessagesBinary(SocketFault):
    def to_caller(self, message: Message) -> list[Message]:
        return [message.encode() if isinstance(message, str) else message]


@socket_fault("messages-merged", "sends two events in one message", stage="events")
class MessagesMerged(SocketFault):
    def __init__(self, value: FaultValue, settings: RelaySettings) -> None:
        super().__init__(value, settings)
        self._held: str | None = None

    def to_caller(self, message: Message) -> list[Message]:
        text = str(message)
        if self._held is None:
            # What nothing follows for long must not wait: it would be another fault.
            if "delta" not in text[:80]:
                return [message]
            self._held = text
            return []
        held, self._held = self._held, None
        return [f"{held}\n{text}"]


@socket_fault("messages-split", "sends one event in several messages", stage="events")
class MessagesSplit(SocketFault):
    def to_caller(self, message: Message) -> list[Message]:
        text = str(message)
        size = len(text) // PIECES + 1
        return [text[start : start + size] for start in range(0, len(text), size)]


@socket_fault("messages-reordered", "lets every fourth audio delta overtake the one before", stage="events")
class MessagesReordered(SocketFault):
    def __init__(self, value: FaultValue, settings: RelaySettings) -> None:
        super().__init__(value, settings)
        self._held: Message | None = None
        self._deltas = 0

    def to_caller(self, message: Message) -> list[Message]:
        if self._held is not None:
            held, self._held = self._held, None
            return [message, held]
        if "response.output_audio.delta" in str(message)[:80]:
            self._deltas += 1
            if self._deltas % 4 == 3:
                self._held = message
                return []
        return [message]


@socket_fault("messages-lost", "loses every fourth audio delta", stage="events")
class MessagesLost(SocketFault):
    def __init__(self, value: FaultValue, settings: RelaySettings) -> None:
        super().__init__(value, settings)
        self._deltas = 0

    def to_caller(self, message: Message) -> list[Message]:
        if "response.output_audio.delta" in str(message)[:80]:
            self._deltas += 1
            if self._deltas % 4 == 3:
                return []
        return [message]


@socket_fault(
    "client-messages-lost", "sends on audio alone, and nothing else that a caller says", stage="events"
)
class ClientMessagesLost(SocketFault):
    def to_upstream(self, message: Message) -> list[Message]:
        return [message] if "input_audio_buffer.append" in str(message)[:80] else []


@socket_fault("close-code-lost", "closes with 1000 whatever the upstream closed with", stage="lifecycle")
class CloseCodeLost(SocketFault):
    def close(self, code: int, reason: str) -> tuple[int, str] | None:
        return NORMAL, ""


@socket_fault("socket-dropped", "cuts the connection without a Close frame", stage="lifecycle")
class SocketDropped(SocketFault):
    def close(self, code: int, reason: str) -> tuple[int, str] | None:
        return None


@socket_fault("upstream-end-untold", "keeps the caller when the upstream has gone", stage="lifecycle")
class UpstreamEndUntold(SocketFault):
    ends_with_upstream = False


@socket_fault("upstream-leaked", "keeps the upstream when the caller has gone", stage="lifecycle")
class UpstreamLeaked(SocketFault):
    ends_with_caller = False


@socket_fault(
    "message-limit",
    "closes with 1009 on a message of the caller's beyond a size",
    stage="channel",
    default=65_536,
    value_help="characters",
)
class MessageLimit(SocketFault):
    def __init__(self, value: FaultValue, settings: RelaySettings) -> None:
        super().__init__(value, settings)
        self.longest = int(value)


@socket_fault(
    "reads-slowly",
    "takes so long for each message of the caller's",
    stage="channel",
    default=0.2,
    value_help="seconds",
)
class ReadsSlowly(SocketFault):
    def __init__(self, value: FaultValue, settings: RelaySettings) -> None:
        super().__init__(value, settings)
        self.seconds_a_message = float(value)


@socket_fault("no-ping", "never pings the caller", stage="channel")
class NoPing(SocketFault):
    pings = False


@socket_fault("pings-unanswered", "does not answer the caller's pings", stage="channel")
class PingsUnanswered(SocketFault):
    answers_pings = False
