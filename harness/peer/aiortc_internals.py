"""What is private in aiortc and aioice, both pinned, and needed from outside of them: it has a name here.

What a call is made of are classes of our own, derived from theirs: `agents`, `protocol`, `association`; and
`dtls`, in the place of aiortc's.

Why at all: the public API offers no hook below the jitter buffer, starts a thread for each received track,
never gathers on loopback, and hides why DTLS failed. `tests/peer/test_aiortc_internals.py` fails by name when
a release changes one of these.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from aioice import Candidate
from aioice.ice import StunProtocol, get_host_addresses
from aioice.turn import TurnTransport
from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import SRTP_PROFILES
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from OpenSSL import SSL

from harness.peer.agents import Agent, FullAgent
from harness.peer.datagrams import DatagramSocket, open_datagrams
from harness.peer.hosts import host_protocols, without_redundant
from harness.peer.protocol import CallProtocol, is_closing

COMPONENT = 1  # RTP, and RTCP with it (RFC 8445, section 13.1.1; RFC 5761)
RELAY_GOODBYE_SECONDS = 2.0

SendTo = Callable[[bytes, tuple[str, int]], object]
Gathered = tuple[Candidate, StunProtocol | None]
# Asks STUN and TURN servers: the protocols of our host candidates, and a maker of protocols for relayed ones.
AskServers = Callable[[Sequence[StunProtocol], Callable[[], StunProtocol]], Awaitable[Sequence[Gathered]]]

REBIND_TRIES = 3  # retransmissions: 7.5 s in all


async def gather(
    agent: Agent, *, addresses: Sequence[str] | None, ask_servers: AskServers | None, relay_only: bool
) -> None:
    """Gather candidates on the given host addresses.

    None takes aioice's own choice of addresses, which leaves out loopback.
    """
    # Interfaces are asked only where that decides: aioice asks, which is dear, whatever is gathered on.
    if relay_only:
        addresses = ()
    elif addresses is None:
        addresses = get_host_addresses(use_ipv4=True, use_ipv6=True)
    protocols: list[StunProtocol] = agent._protocols
    protocols += host_protocols(agent, COMPONENT, addresses, agent.on_datagram)
    candidates = [protocol.local_candidate for protocol in protocols]
    if ask_servers is not None:
        new_protocol = partial(CallProtocol, agent, agent.on_datagram)
        for candidate, protocol in await ask_servers(tuple(protocols), new_protocol):
            candidates.append(candidate)
            if protocol is not None:
                protocols.append(protocol)
    agent._local_candidates += without_redundant(candidates)
    agent._local_candidates_end = True


def protocols_of(agent: Agent) -> list[CallProtocol]:
    """One for each socket that was gathered on, and for each allocation of a TURN server."""
    protocols: Any = agent._protocols
    return list(protocols)


async def rebind(agent: Agent) -> bool:
    """Go on from a new local port, then nominate the pair again, as a browser's next check does.

    Whether the other end answered that check (RFC 8445, section 7.3.1.3: it learns the new address). The
    candidates stay as they are: only the network sees another port. False too where there is
    no pair, and for a lite agent.
    """
    pair = nominated_pair(agent)
    if not isinstance(agent, FullAgent) or pair is None or pair.local_candidate.type == "relay":
        return False
    protocol: CallProtocol = pair.protocol
    old: DatagramSocket = protocol.socket
    if old.is_closing():
        return False
    protocol.socket = open_datagrams(pair.local_candidate.host, protocol)
    old.abandon()  # so that its end is not taken for the call's
    return await agent.check_nominated(retransmissions=REBIND_TRIES)


def nominated_pair(agent: Agent) -> Any | None:
    """The pair of candidates that ICE chose, or None."""
    return agent._nominated.get(COMPONENT)


class _Nominated(dict[int, Any]):
    """aioice's pairs by component, and who is told when one is nominated."""

    on_change: Callable[[], None]

    def __setitem__(self, component: int, pair: Any) -> None:
        super().__setitem__(component, pair)
        self.on_change()


def watch_nominations(agent: Agent, on_change: Callable[[], None]) -> None:
    """Call when ICE has chosen a pair, now or anew."""
    pairs = _Nominated(agent._nominated)
    pairs.on_change = on_change
    agent._nominated = pairs


async def close_agent(agent: Agent) -> None:
    """Close. A TURN server that no longer answers when its allocation is deleted is not waited for long.

    aioice repeats that request for over a minute; the allocation ends by itself (RFC 8656, section 3.2).
    """
    sockets = [protocol.socket for protocol in protocols_of(agent)]
    relays: list[Any] = [socket for socket in sockets if isinstance(socket, TurnTransport)]
    for relay in relays:
        relay.close()  # all at once: aioice closes one after the other
    deletions = [relay._TurnTransport__close_task for relay in relays]
    if deletions:
        await asyncio.wait(deletions, timeout=RELAY_GOODBYE_SECONDS)
    for deletion in deletions:
        deletion.cancel()
    await agent.close()


def send_nowhere(_data: bytes, _addr: tuple[str, int]) -> None:
    """Raise OSError: there is no transport."""
    raise OSError(errno.ENOTCONN, "no pair is nominated")


def sending_over(transport: Any) -> SendTo:
    """What sends a datagram over a pair's transport, and raises OSError where it cannot."""
    if transport is None:
        return send_nowhere
    if isinstance(transport, DatagramSocket):
        return transport.send_at_once

    def send(data: bytes, addr: tuple[str, int]) -> None:
        if is_closing(transport):
            raise OSError(errno.EBADF, "the transport is closed")
        transport.sendto(data, addr)

    return send


class Certificate(RTCCertificate):
    """One that serves many calls: what aiortc derives from it for each of them is derived once."""

    def __init__(self, key: EllipticCurvePrivateKey, cert: x509.Certificate) -> None:
        super().__init__(key, cert)
        prints = super().getFingerprints()
        self.fingerprint = next(str(f.value) for f in prints if f.algorithm == "sha-256")
        self._context: SSL.Context | None = None

    def context(self) -> SSL.Context:
        """OpenSSL's, with all of SRTP's profiles."""
        if self._context is None:
            self._context = self._create_ssl_context(SRTP_PROFILES)
            self._context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # each call shakes hands in full
        return self._context


def new_certificate() -> Certificate:
    """ECDSA on P-256, as browsers make them."""
    certificate: Certificate = Certificate.generateCertificate()
    return certificate
