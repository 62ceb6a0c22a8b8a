"""The one file that reaches into aiortc and aioice, both pinned: what is private and needed has a name here.

Why at all: the public API offers no hook below the jitter buffer, starts a thread for each received track,
never gathers on loopback, and hides why DTLS failed. `tests/peer/test_aiortc_internals.py` fails by name when
a release changes one of these.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import pylibsrtp
from aiortc import (
    RTCCertificate,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceServer,
    RTCSctpTransport,
)
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from aiortc.rtcdtlstransport import certificate_digest
from aiortc.rtp import is_rtcp

OnDatagram = Callable[[bytes], None]


def new_gatherer(
    *,
    ice_servers: Sequence[RTCIceServer],
    relay_only: bool,
    ufrag: str,
    pwd: str,
    controlling: bool,
    addresses: Sequence[str] | None,
) -> RTCIceGatherer:
    """A gatherer on the given host addresses; None takes aioice's own choice, which leaves out loopback."""
    gatherer = RTCIceGatherer(
        iceServers=list(ice_servers),
        iceTransportPolicy=RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL,
        local_username=ufrag,
        local_password=pwd,
    )
    connection: Any = gatherer._connection
    connection.ice_controlling = controlling
    if addresses is not None and not relay_only:
        gather_component = connection.get_component_candidates

        chosen = list(addresses)

        async def on_our_addresses(component: int, **_theirs: Any) -> Any:
            return await gather_component(component=component, addresses=chosen)

        connection.get_component_candidates = on_our_addresses
    return gatherer


class CheckCounter:
    """ICE connectivity checks on the wire, told from STUN's message types (RFC 8489, section 5)."""

    def __init__(self) -> None:
        self.sent = 0
        self.answered = 0
        self.refused = 0
        self.received = 0
        self.replied = 0

    def count(self, first: int, second: int, *, outgoing: bool) -> None:
        """Count one STUN message by the first two bytes of its header."""
        if (first, second) == (0x00, 0x01):
            if outgoing:
                self.sent += 1
            else:
                self.received += 1
        elif (first, second) == (0x01, 0x01):
            if outgoing:
                self.replied += 1
            else:
                self.answered += 1
        elif not outgoing and (first, second) == (0x01, 0x11):
            self.refused += 1


def tap_sockets(gatherer: RTCIceGatherer, on_media: OnDatagram, checks: CheckCounter) -> None:
    """Divert SRTP and SRTCP (first byte 128 to 191, RFC 7983) to `on_media`; count checks."""
    for protocol in gatherer._connection._protocols:
        _tap(protocol, on_media, checks)


def _tap(protocol: Any, on_media: OnDatagram, checks: CheckCounter) -> None:
    receive, send_stun = protocol.datagram_received, protocol.send_stun

    def datagram_received(data: bytes, addr: tuple[Any, ...]) -> None:
        if not data:
            return
        first = data[0]
        if 128 <= first <= 191:
            on_media(data)
            return
        if first < 4 and len(data) > 1:
            checks.count(first, data[1], outgoing=False)
        receive(data, addr)

    def counted_send_stun(message: Any, addr: tuple[str, int]) -> None:
        header = bytes(message)[:2]
        checks.count(header[0], header[1], outgoing=True)
        send_stun(message, addr)

    protocol.datagram_received = datagram_received
    protocol.send_stun = counted_send_stun


def fall_silent(gatherer: RTCIceGatherer) -> Callable[[], None]:
    """Send nothing and hear nothing more, with the sockets still open; returns what ends that."""

    def nothing(*_: object) -> None: ...

    async def send_nothing(*_: object) -> None: ...

    protocols: list[Any] = list(gatherer._connection._protocols)
    before = [(p, p.datagram_received, p.send_stun, p.send_data) for p in protocols]
    for protocol in protocols:
        protocol.datagram_received = protocol.send_stun = nothing
        protocol.send_data = send_nothing

    def speak_again() -> None:
        for protocol, receive, send_stun, send_data in before:
            protocol.datagram_received, protocol.send_stun = receive, send_stun
            protocol.send_data = send_data

    return speak_again


def leave_checks_unanswered(gatherer: RTCIceGatherer, checks: CheckCounter) -> None:
    """Count connectivity checks, and do nothing else with what arrives."""

    def only_count(data: bytes, _addr: tuple[Any, ...]) -> None:
        if len(data) > 1 and data[0] < 4:
            checks.count(data[0], data[1], outgoing=False)

    protocol: Any
    for protocol in gatherer._connection._protocols:
        protocol.datagram_received = only_count


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


def watch_sctp(sctp: RTCSctpTransport, on_state: Callable[[str], None]) -> None:
    """Report W3C's sctp states: connecting, connected, closed."""
    set_state = sctp._set_state
    last = ""

    def set_and_tell(state: Any) -> None:
        nonlocal last
        set_state(state)
        if sctp.state != last:
            last = sctp.state
            on_state(last)

    sctp._set_state = set_and_tell  # type: ignore[method-assign]  # the hook that aiortc lacks


class MediaLink:
    """SRTP straight between the DTLS keys and the nominated pair: no task and no queue for a packet."""

    def __init__(self, gatherer: RTCIceGatherer, dtls: RTCDtlsTransport) -> None:
        self._gatherer = gatherer
        self._dtls = dtls

    def send(self, packet: bytes, *, rtcp: bool = False) -> bool:
        """Protect and send; False while DTLS or ICE is not up."""
        session, pair = self._dtls._tx_srtp, nominated_pair(self._gatherer)
        if session is None or pair is None or self._dtls.state != "connected":
            return False
        protected = session.protect_rtcp(packet) if rtcp else session.protect(packet)
        transport = pair.protocol.transport
        if transport is None or transport.is_closing():
            return False
        transport.sendto(protected, pair.remote_addr)
        return True

    def open(self, datagram: bytes) -> tuple[bytes, bool] | None:
        """Plain packet and whether it is RTCP; None where it fails authentication or no keys are there."""
        session = self._dtls._rx_srtp
        if session is None or len(datagram) < 12:
            return None
        try:
            if is_rtcp(datagram):
                return session.unprotect_rtcp(datagram), True
            return session.unprotect(datagram), False
        except pylibsrtp.Error:
            return None


async def finish_dtls(dtls: RTCDtlsTransport) -> None:
    """Stop, then wait for the receiving task, which aiortc cancels but does not await."""
    task = dtls._task
    await dtls.stop()
    if task is not None:
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await task


def new_certificate() -> RTCCertificate:
    """ECDSA on P-256, as browsers make them."""
    return RTCCertificate.generateCertificate()
