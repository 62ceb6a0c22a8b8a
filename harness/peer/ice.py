"""ICE of one call, stage by stage: an agent, and the states that W3C has for what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aioice import Candidate as AgentsCandidate

from harness.core.sdp import Candidate
from harness.peer import aiortc_internals as internals
from harness.peer.agents import Agent
from harness.peer.aiortc_internals import AskServers
from harness.peer.remote import Remote


class Ice:
    """`on_gathering` and `on_state` are called when `gathering` and `state` have changed.

    States: new, gathering, complete; new, checking, connected, failed, closed.
    """

    def __init__(
        self,
        agent: Agent,
        *,
        addresses: Sequence[str] | None,
        ask_servers: AskServers | None,
        relay_only: bool,
    ) -> None:
        self.agent = agent
        self._addresses = addresses
        self._ask_servers = ask_servers
        self._relay_only = relay_only
        self.gathering = self.state = "new"
        self.on_gathering: Callable[[], None] = lambda: None
        self.on_state: Callable[[], None] = lambda: None
        self.candidates: list[Candidate] = []  # ours
        agent.on_closed = self._agent_closed

    async def gather(self) -> None:
        """Once."""
        if self.gathering != "new":
            return
        self._set_gathering("gathering")
        await internals.gather(
            self.agent,
            addresses=self._addresses,
            ask_servers=self._ask_servers,
            relay_only=self._relay_only,
        )
        self.candidates = [_from_agent(c) for c in self.agent.local_candidates]
        self._set_gathering("complete")

    async def add_remote_candidates(self, candidates: Sequence[Candidate], *, end: bool) -> None:
        """`end`: there will be no more."""
        for candidate in candidates:
            await self.agent.add_remote_candidate(_to_agent(candidate))
        if end:
            await self.agent.add_remote_candidate(None)

    async def start(self, remote: Remote) -> None:
        """Return when a pair was nominated, or nothing is left to be tried."""
        if self.state != "new":
            return
        self._set_state("checking")
        agent = self.agent
        agent.remote_is_lite = remote.ice_lite
        agent.remote_username, agent.remote_password = remote.ufrag, remote.pwd
        try:
            await agent.connect()
        except ConnectionError:
            self._set_state("failed")
        else:
            self._set_state("connected")

    def send(self, datagram: bytes) -> None:
        """Over the nominated pair; raises ConnectionError where there is none."""
        pair = internals.nominated_pair(self.agent)
        if pair is None:
            raise ConnectionError("no pair is nominated")
        pair.protocol.transport.sendto(datagram, pair.remote_addr)

    async def stop(self) -> None:
        """Idempotent; nothing is left when this returns."""
        if self.state != "closed":
            self._set_state("closed")
            await internals.close_agent(self.agent)

    def _agent_closed(self) -> None:
        if self.state == "connected":
            self._set_state("failed")

    def _set_gathering(self, state: str) -> None:
        self.gathering = state
        self.on_gathering()

    def _set_state(self, state: str) -> None:
        if state != self.state and self.state != "closed":
            self.state = state
            self.on_state()


def _from_agent(candidate: AgentsCandidate) -> Candidate:
    return Candidate(
        foundation=candidate.foundation,
        component=candidate.component,
        protocol=candidate.transport,
        priority=candidate.priority,
        address=candidate.host,
        port=candidate.port,
        type=candidate.type,
        tcp_type=candidate.tcptype,
    )


def _to_agent(candidate: Candidate) -> AgentsCandidate:
    return AgentsCandidate(
        foundation=candidate.foundation,
        component=candidate.component,
        transport=candidate.protocol,
        priority=candidate.priority,
        host=candidate.address,
        port=candidate.port,
        type=candidate.type,
        tcptype=candidate.tcp_type,
    )
