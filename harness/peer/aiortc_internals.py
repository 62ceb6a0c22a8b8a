"""What is private in aiortc and aioice, both pinned, and needed from outside of them: it has a name here.

What a call is made of are classes of our own, derived from theirs: `agents`, `protocol`, `dtls`,
`association`.

Why at all: the public API offers no hook below the jitter buffer, starts a thread for each received track,
never gathers on loopback, and hides why DTLS failed. `tests/peer/test_aiortc_internals.py` fails by name when
a release changes one of these.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aioice import Candidate
from aioice.ice import StunProtocol, get_host_addresses
from aioice.turn import TurnTransport
from aiortc import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceTransport,
)
from aiortc.rtcdtlstransport import SRTPProtectionProfile, certificate_digest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from OpenSSL import SSL
from pylibsrtp import Session

from harness.peer.agents import FullAgent, LiteAgent
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


def new_gatherer(
    *,
    agent: FullAgent | LiteAgent,
    ask_servers: AskServers | None,
    relay_only: bool,
    addresses: Sequence[str] | None,
) -> RTCIceGatherer:
    """A gatherer for our own agent, on the given host addresses.

    None takes aioice's own choice of addresses, which leaves out loopback.
    """
    gatherer = RTCIceGatherer(iceServers=[])
    gatherer._connection = agent
    connection: Any = agent

    async def gather_candidates() -> None:
        # Interfaces are asked only where that decides: aioice asks, which is dear, whatever is gathered on.
        if relay_only:
            on: Sequence[str] = ()
        elif addresses is None:
            on = get_host_addresses(use_ipv4=True, use_ipv6=True)
        else:
            on = addresses
        connection._local_candidates += await gather_on(on)
        connection._local_candidates_end = True

    async def gather_on(addresses: Sequence[str]) -> list[Candidate]:
        connection._protocols += host_protocols(connection, COMPONENT, addresses)
        candidates: list[Candidate] = [protocol.local_candidate for protocol in connection._protocols]
        if ask_servers is not None:
            hosts = tuple(connection._protocols)
            for candidate, protocol in await ask_servers(hosts, lambda: CallProtocol(connection)):
                candidates.append(candidate)
                if protocol is not None:
                    connection._protocols.append(protocol)
        return without_redundant(candidates)

    connection.gather_candidates = gather_candidates
    return gatherer


def protocols_of(gatherer: RTCIceGatherer) -> list[CallProtocol]:
    """One for each socket that was gathered on, and for each allocation of a TURN server."""
    protocols: Any = gatherer._connection._protocols
    return list(protocols)


async def rebind(gatherer: RTCIceGatherer) -> bool:
    """Go on from a new local port, then nominate the pair again, as a browser's next check does.

    Whether the other end answered that check (RFC 8445, section 7.3.1.3: it learns the new address). The
    candidates stay as they are: only the network sees another port. False too where there is
    no pair, and for a lite agent.
    """
    agent = gatherer._connection
    pair = nominated_pair(gatherer)
    if not isinstance(agent, FullAgent) or pair is None or pair.local_candidate.type == "relay":
        return False
    protocol: CallProtocol = pair.protocol
    old: DatagramSocket = protocol.socket
    if old.is_closing():
        return False
    protocol.socket = open_datagrams(pair.local_candidate.host, protocol)
    old.abandon()  # so that its end is not taken for the call's
    return await agent.check_nominated(retransmissions=REBIND_TRIES)


async def stop_sending(gatherer: RTCIceGatherer) -> None:
    """Close the sockets as at the end of consent; the transports above find out by themselves."""
    await gatherer._connection.close()


def nominated_pair(gatherer: RTCIceGatherer) -> Any | None:
    """The pair of candidates that ICE chose, or None."""
    return gatherer._connection._nominated.get(1)


def set_dtls_role(dtls: RTCDtlsTransport, role: str) -> None:
    """`client` (our answer or theirs says we are active) or `server`."""
    dtls._set_role(role)


def fingerprint_mismatch(dtls: RTCDtlsTransport, announced: Sequence[tuple[str, str]]) -> str:
    """Both digests when the certificate has none of those announced; empty when it has, or none came."""
    connection = dtls._ssl
    certificate = connection.get_peer_certificate(as_cryptography=True) if connection else None
    if certificate is None:
        return ""
    for algorithm, value in announced:
        if algorithm not in ("sha-256", "sha-384", "sha-512"):
            continue
        actual = certificate_digest(certificate, algorithm)
        if actual.upper() != value.upper():
            return f"the answer announced {algorithm} {value}, the certificate has {actual}"
    return ""


class _Nominated(dict[int, Any]):
    """aioice's pairs by component, and who is told when one is nominated."""

    on_change: Callable[[], None]

    def __setitem__(self, component: int, pair: Any) -> None:
        super().__setitem__(component, pair)
        self.on_change()


def watch_nominations(gatherer: RTCIceGatherer, on_change: Callable[[], None]) -> None:
    """Call when ICE has chosen a pair, now or anew."""
    pairs = _Nominated(gatherer._connection._nominated)
    pairs.on_change = on_change
    gatherer._connection._nominated = pairs


def srtp_sessions(dtls: RTCDtlsTransport) -> tuple[Session, Session]:
    """Ours for sending and for receiving, once DTLS is connected."""
    return dtls._tx_srtp, dtls._rx_srtp


async def finish_ice(ice: RTCIceTransport, gatherer: RTCIceGatherer) -> None:
    """Stop. A TURN server that no longer answers when its allocation is deleted is not waited for long.

    aioice repeats that request for over a minute; the allocation ends by itself (RFC 8656, section 3.2).
    """
    sockets = [protocol.socket for protocol in protocols_of(gatherer)]
    relays: list[Any] = [socket for socket in sockets if isinstance(socket, TurnTransport)]
    for relay in relays:
        relay.close()  # all at once: aioice closes one after the other
    deletions = [relay._TurnTransport__close_task for relay in relays]
    if deletions:
        await asyncio.wait(deletions, timeout=RELAY_GOODBYE_SECONDS)
    for deletion in deletions:
        deletion.cancel()
    await ice.stop()


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


async def finish_dtls(dtls: RTCDtlsTransport) -> None:
    """Stop, then wait for the receiving task, which aiortc cancels but does not await."""
    task = dtls._task
    await dtls.stop()
    if task is not None:
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await task


class _Certificate(RTCCertificate):
    """One that serves many calls: what aiortc derives from it for each of them is derived once."""

    def __init__(self, key: EllipticCurvePrivateKey, cert: x509.Certificate) -> None:
        super().__init__(key, cert)
        self._fingerprints = super().getFingerprints()
        self._contexts: dict[tuple[object, ...], SSL.Context] = {}

    def getFingerprints(self) -> list[RTCDtlsFingerprint]:  # aiortc's name
        return list(self._fingerprints)

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        profiles = tuple(srtp_profiles)
        if profiles not in self._contexts:
            context = super()._create_ssl_context(srtp_profiles)
            context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # each call shakes hands in full
            self._contexts[profiles] = context
        return self._contexts[profiles]


def new_certificate() -> RTCCertificate:
    """ECDSA on P-256, as browsers make them."""
    return _Certificate.generateCertificate()
