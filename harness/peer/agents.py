"""RFC 8445's two ICE agents, on aioice's: the full one as browsers have it, and a server's lite one.

Neither has a queue: DTLS goes to who reads it, who is told when there is no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from aioice import Candidate
from aioice.ice import (
    ICE_COMPLETED,
    CandidatePair,
    Connection,
    ConnectionEvent,
    StunProtocol,
    TransportPolicy,
)
from aioice.mdns import is_mdns_hostname
from aioice.stun import Class, Message, Method, TransactionError

MOST_ASKED = 8  # consent checks whose answers are waited for: those of 30 s


def _nobody() -> None: ...


def _unheard(_where: str, _error: Exception) -> None: ...


def _unread(_datagram: bytes) -> None: ...


class Agent(Connection):
    """What both have. `on_datagram` gets DTLS; `on_closed` is called at the end.

    `on_lost` is called when nothing more can come: the nominated pair's socket is gone, or all is closed.
    `on_consent` is told of each sign of life, `on_failed` what was raised where nobody awaits it.
    """

    on_consent: Callable[[], None] = staticmethod(_nobody)
    on_failed: Callable[[str, Exception], None] = staticmethod(_unheard)
    on_datagram: Callable[[bytes], None] = staticmethod(_unread)
    on_lost: Callable[[], None] = staticmethod(_nobody)
    on_closed: Callable[[], None] = staticmethod(_nobody)

    def data_received(self, data: bytes, component: int) -> None:
        """What can be read as nothing; aioice would keep it in a queue."""

    def protocol_lost(self, protocol: StunProtocol) -> None:
        """Only a nominated pair carries data."""
        if any(pair.protocol is protocol for pair in self._nominated.values()):
            self.on_lost()

    def _emit_event(self, event: ConnectionEvent) -> None:  # noqa: ARG002  (as above)
        """Of which aioice knows one: that it is closed."""
        self.on_lost()
        self.on_closed()


class FullAgent(Agent):
    """Checks, nominates where it controls, and goes on checking the nominated pair.

    As libwebrtc's, its consent checks nominate again while it controls (aioice's do not): an ICE-lite server
    that has a pair may answer no others. `on_consent` is told of each consent check that was answered.
    """

    def __init__(
        self, *, ufrag: str, pwd: str, controlling: bool, relay_only: bool, check_seconds: float
    ) -> None:
        super().__init__(
            ice_controlling=controlling,
            local_username=ufrag,
            local_password=pwd,
            transport_policy=TransportPolicy.RELAY if relay_only else TransportPolicy.ALL,
        )
        self._check_seconds = check_seconds
        self._asked: deque[tuple[dict[bytes, Any], bytes]] = deque()

    async def connect(self) -> None:
        """As aioice's; towards a lite end the full one controls (RFC 8445, section 6.1.1)."""
        if self.remote_is_lite and not self.ice_controlling:
            self.switch_role(ice_controlling=True)
        await super().connect()

    async def check_start(self, pair: CandidatePair) -> None:
        """As aioice's, which runs it in a task that nobody awaits."""
        try:
            await super().check_start(pair)
        except Exception as error:
            self.on_failed("a connectivity check", error)
            self.check_state(pair, CandidatePair.State.FAILED)
            self.check_complete(pair)

    async def check_nominated(self, *, retransmissions: int = 0) -> bool:
        """Check each nominated pair once; whether one was answered, with the right password."""
        answered = False
        for pair in list(self._nominated.values()):
            with contextlib.suppress(TransactionError):
                await pair.protocol.request(
                    self.build_request(pair, nominate=True),
                    pair.remote_addr,
                    integrity_key=(self.remote_password or "").encode(),
                    retransmissions=retransmissions,
                )
                answered = True
        if answered:
            self.on_consent()
        return answered

    def ask_for_consent(self) -> None:
        """Check each nominated pair once; an answer counts however late, until consent has ended anyway."""
        key = (self.remote_password or "").encode()
        for pair in list(self._nominated.values()):
            request = self.build_request(pair, nominate=True)
            request.add_message_integrity(key)
            asked: Any = pair.protocol.transactions
            asked[request.transaction_id] = _ConsentCheck(self, key)
            self._asked.append((asked, request.transaction_id))
            if len(self._asked) > MOST_ASKED:
                old, transaction_id = self._asked.popleft()
                old.pop(transaction_id, None)
            pair.protocol.send_stun(request, pair.remote_addr)

    async def query_consent(self) -> None:
        """Check until cancelled; when consent ends is the transport's matter."""
        while True:
            await asyncio.sleep(self._check_seconds * random.uniform(0.8, 1.2))  # noqa: S311  (no secret)
            try:
                self.ask_for_consent()
            except Exception as error:  # the next one may be sent
                self.on_failed("a consent check", error)


class _ConsentCheck:
    """Waits for the answer to one check, in the place of aioice's transaction, which gives up after 0.5 s."""

    def __init__(self, agent: FullAgent, key: bytes) -> None:
        self._agent = agent
        self._key = key

    def response_received(self, message: Message, _addr: tuple[str, int]) -> None:
        if message.message_class == Class.RESPONSE and message.check_message_integrity(self._key):
            self._agent.on_consent()


class LiteAgent(Agent):
    """Answers checks and sends none; is controlled, and uses the pair that was nominated last.

    RFC 8445, sections 2.5 and 7.3. `patience`: seconds after a nomination from which a check without
    USE-CANDIDATE gets no answer, as observed at OpenAI's servers in 2026; None answers all. `on_consent` is
    told of each authentic check, answered or not: it is the sign of life that a lite end gets.
    """

    def __init__(self, *, ufrag: str, pwd: str, patience: float | None) -> None:
        super().__init__(ice_controlling=False, local_username=ufrag, local_password=pwd)
        self._patience = patience
        self._impatient_at = float("inf")
        self._told: dict[tuple[str, int], Candidate] = {}
        # Below any that a caller may send who claims to be controlled too: it is told 487, and gives way.
        self._tie_breaker = -1

    async def add_remote_candidate(self, remote_candidate: Candidate | None) -> None:
        """Keep its name for the address; the first check shows which is in use."""
        if remote_candidate is not None and not is_mdns_hostname(remote_candidate.host):
            self._told[remote_candidate.host, remote_candidate.port] = remote_candidate

    async def connect(self) -> None:
        """Return when a pair was nominated; raises ConnectionError when closed before."""
        for early in self._early_checks:
            self.check_incoming(*early)
        self._early_checks.clear()
        self._early_checks_done = True
        if await self._check_list_state.get() != ICE_COMPLETED:
            raise ConnectionError("closed before a pair was nominated")

    def request_received(self, message: Message, addr: tuple[str, int], protocol: StunProtocol) -> None:
        """Answer, unless the caller should long have known better."""
        if asyncio.get_running_loop().time() < self._impatient_at or "USE-CANDIDATE" in message.attributes:
            super().request_received(message, addr, protocol)
        elif self._is_authentic(message):
            self.on_consent()

    def _is_authentic(self, message: Message) -> bool:
        return (
            message.message_method == Method.BINDING
            and self._valid_username(message.attributes.get("USERNAME", ""))
            and message.check_message_integrity(self.local_password.encode())
        )

    def check_incoming(self, message: Message, addr: tuple[str, int], protocol: StunProtocol) -> None:
        """A check that was answered: it may nominate, and triggers none of ours."""
        self.on_consent()
        if "USE-CANDIDATE" not in message.attributes:
            return
        component = protocol.local_candidate.component
        current = self._nominated.get(component)
        if current is not None and current.protocol is protocol and current.remote_addr == addr:
            return
        pair = CandidatePair(protocol, self._remote_at(addr, component))
        pair.state, pair.nominated = CandidatePair.State.SUCCEEDED, True
        self._nominated[component] = pair
        if self._patience is not None:
            self._impatient_at = asyncio.get_running_loop().time() + self._patience
        self._check_list_maybe_complete()

    def _remote_at(self, addr: tuple[str, int], component: int) -> Candidate:
        """The candidate that was told of with this address, or a peer-reflexive one."""
        return self._told.get(addr) or Candidate(
            foundation="prflx",
            component=component,
            transport="udp",
            priority=0,  # which only a full agent would sort by
            host=addr[0],
            port=addr[1],
            type="prflx",
        )
