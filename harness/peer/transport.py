"""One bundled ICE, DTLS and SCTP transport with SRTP: aiortc's ORTC objects, driven stage by stage.

RTCPeerConnection is not used: its stages cannot be told apart or run singly, and it starts a thread for
each received track. The stages here have W3C's names and are reported as they happen.
"""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Callable, Sequence
from functools import cache

from aiortc import (
    RTCCertificate,
    RTCDataChannel,
    RTCDataChannelParameters,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCIceCandidate,
    RTCIceParameters,
    RTCIceTransport,
    RTCSctpCapabilities,
    RTCSctpTransport,
)

from harness.core.caller_end import Wire
from harness.core.events import Layer
from harness.core.sdp import Candidate
from harness.peer import aiortc_internals as internals
from harness.peer.agents import FullAgent, LiteAgent
from harness.peer.aiortc_internals import AskServers
from harness.peer.association import Association, OnFailed, OnMalformed
from harness.peer.channel import Channel
from harness.peer.checks import CheckCounter
from harness.peer.consent import RFC_7675, Consent
from harness.peer.dtls import Dtls
from harness.peer.media_link import MediaLink, OnPacket
from harness.peer.remote import Remote

OnState = Callable[[Layer, str, str], None]

ICE_CHARS = string.ascii_letters + string.digits
# aiortc says completed once a pair is nominated; W3C's word for an end that may still check is connected.
W3C_ICE_STATES = {"completed": "connected"}


class Transport:
    """The transport of one call. Not reusable: make one, connect it, close it.

    `addresses`: host addresses to gather on, None for all but loopback. `ask_servers` asks STUN and TURN
    servers for more candidates; `relay_only` uses none but those that they relay. `on_rtp` and `on_rtcp` get
    plain packets with their arrival on the monotonic clock, when so many datagrams are `batch` or at
    `flush`. `on_malformed` is told of SCTP that the other end may not send, and `on_failed` of what was
    raised where nobody awaits it: neither ends the call. `lite`: an ICE-lite end, which is controlled and
    sends no checks; see `LiteAgent`. `ufrag` and `pwd` are drawn where they are not given.
    """

    def __init__(
        self,
        *,
        controlling: bool,
        on_state: OnState,
        on_malformed: OnMalformed = lambda _problem: None,
        on_failed: OnFailed = lambda _where, _error: None,
        addresses: Sequence[str] | None = None,
        ask_servers: AskServers | None = None,
        relay_only: bool = False,
        on_rtp: OnPacket | None = None,
        on_rtcp: OnPacket | None = None,
        batch: int = 1,
        lite: bool = False,
        patience: float | None = None,
        ufrag: str = "",
        pwd: str = "",
    ) -> None:
        self.ufrag = ufrag or _ice_string(8)
        self.pwd = pwd or _ice_string(24)
        self.lite = lite
        self.on_channel: Callable[[Channel], None] | None = None
        self.checks = CheckCounter()
        self._on_state = on_state
        self._closed = False
        self._wire: Wire | None = None
        self._consent: Consent | None = None
        self._losing_consent: asyncio.Task[None] | None = None
        self._times = RFC_7675
        self._agent: FullAgent | LiteAgent
        if lite:
            self._agent = LiteAgent(ufrag=self.ufrag, pwd=self.pwd, patience=patience)
        else:
            self._agent = FullAgent(
                ufrag=self.ufrag,
                pwd=self.pwd,
                controlling=controlling,
                relay_only=relay_only,
                check_seconds=self._times.check,
            )
        self._gatherer = internals.new_gatherer(
            agent=self._agent, ask_servers=ask_servers, relay_only=relay_only, addresses=addresses
        )
        self._ice = RTCIceTransport(self._gatherer)
        self._on_failed = on_failed
        self._agent.on_failed = on_failed
        self._dtls = Dtls(self._ice, _certificate(), on_failed)
        self._sctp = Association(
            self._dtls,
            on_state=lambda state: self._tell("sctp", state),
            on_malformed=on_malformed,
            on_failed=on_failed,
        )
        self._link = MediaLink(self._gatherer, self._dtls, on_failed, batch)
        self._link.on_rtp, self._link.on_rtcp = on_rtp, on_rtcp
        # Send one plain RTP packet or RTCP compound, or what `protect_rtp` made of one; False while the
        # transport is not up.
        self.send_rtp: Callable[[bytes], bool] = self._link.send_rtp
        self.send_rtcp: Callable[[bytes], bool] = self._link.send_rtcp
        self.protect_rtp: Callable[[bytes], bytes | None] = self._link.protect_rtp
        self.send_protected: Callable[[bytes], bool] = self._link.send_protected
        self._channels: list[Channel] = []
        self._gatherer.on("statechange", self._gathering_changed)
        self._ice.on("statechange", self._ice_changed)
        self._dtls.on("statechange", self._dtls_changed)
        self._sctp.on("datachannel", self._channel_came)

    # --- what a description says of us ---

    @property
    def fingerprint(self) -> str:
        """The SHA-256 digest of our certificate, `AA:BB:…`."""
        prints = self._dtls.getLocalParameters().fingerprints
        return next(str(f.value) for f in prints if f.algorithm == "sha-256")

    @property
    def candidates(self) -> list[Candidate]:
        """Our candidates; empty before `gather`."""
        return [
            Candidate(
                foundation=c.foundation,
                component=c.component,
                protocol=c.protocol,
                priority=c.priority,
                address=c.ip,
                port=c.port,
                type=c.type,
                tcp_type=c.tcpType,
            )
            for c in self._gatherer.getLocalCandidates()
        ]

    @property
    def max_message_size(self) -> int:
        """Bytes of a data channel message that we accept."""
        return int(RTCSctpTransport.getCapabilities().maxMessageSize)

    @property
    def selected_pair(self) -> tuple[str, str] | None:
        """Local and remote candidate as `type address:port`, once ICE connected."""
        pair = internals.nominated_pair(self._gatherer)
        if pair is None:
            return None
        local, remote = pair.local_candidate, pair.remote_candidate
        return f"{local.type} {local.host}:{local.port}", f"{remote.type} {remote.host}:{remote.port}"

    # --- stages ---

    async def gather(self) -> None:
        """Gather candidates, until every server that is asked has answered or had its time."""
        await self._gatherer.gather()
        for protocol in internals.protocols_of(self._gatherer):
            protocol.on_media, protocol.checks = self._link.received, self.checks
            protocol.wire = self._wire

    def put_behind(self, wire: Wire) -> None:
        """Let a wire decide what passes, for good; asking servers for candidates is not behind it."""
        if self._wire is None:
            self._wire = wire
            if self._gatherer.state == "completed":
                for protocol in internals.protocols_of(self._gatherer):
                    protocol.wire = wire
                self._link.look()

    async def rebind(self) -> bool:
        """Go on from a new local port, as a phone that changes network; whether the other end followed."""
        followed = await internals.rebind(self._gatherer)
        self._link.look()
        return followed

    def open_channel(self, label: str) -> Channel:
        """Create our data channel; it opens when the association is up."""
        raw = RTCDataChannel(self._sctp, RTCDataChannelParameters(label=label, ordered=True))
        return self._adopt(Channel(raw, self._on_failed))

    async def connect(self, remote: Remote, *, ice_seconds: float = 30.0, dtls_seconds: float = 15.0) -> None:
        """Run the stages one after the other, as far as they go; the states tell how far that was."""
        if await self.start_ice(remote, ice_seconds) and await self.start_dtls(remote, dtls_seconds):
            await self.start_sctp(remote)

    async def start_ice(
        self, remote: Remote, within: float = 30.0, *, end_of_candidates: bool = True
    ) -> bool:
        """Check connectivity; False where it failed or `within` seconds passed."""
        for candidate in remote.candidates:
            await self._ice.addRemoteCandidate(_to_aiortc(candidate))
        if end_of_candidates:
            await self._ice.addRemoteCandidate(None)
        parameters = RTCIceParameters(
            usernameFragment=remote.ufrag, password=remote.pwd, iceLite=remote.ice_lite
        )
        try:
            async with asyncio.timeout(within):
                await self._ice.start(parameters)
        except TimeoutError:
            self._tell("ice", "failed", f"no pair was nominated within {within:g} s")
            return False
        if self._ice.state != "completed" or self._closed:
            return False
        self._consent = Consent(self._consent_expired, self._times.expiry)
        self._agent.on_consent = self._consent.renew
        return True

    async def start_dtls(self, remote: Remote, within: float = 15.0) -> bool:
        """Shake hands; False where it failed or `within` seconds passed."""
        # Who does not say begins, for a browser: it then waits for the handshake.
        internals.set_dtls_role(self._dtls, "client" if remote.setup == "passive" else "server")
        self._remote_fingerprints = remote.fingerprints
        parameters = RTCDtlsParameters([RTCDtlsFingerprint(a, v) for a, v in remote.fingerprints])
        try:
            async with asyncio.timeout(within):
                await self._dtls.start(parameters)
        except TimeoutError:
            self._tell("dtls", "failed", f"no handshake within {within:g} s")
            return False
        return bool(self._dtls.state == "connected")

    async def start_sctp(self, remote: Remote) -> None:
        """Associate; does nothing for a description without a data section."""
        if remote.sctp_port is not None:
            capabilities = RTCSctpCapabilities(maxMessageSize=remote.max_message_size)
            await self._sctp.start(capabilities, remote.sctp_port)

    async def send_chunk(self, chunk: bytes) -> None:
        """Send an SCTP chunk as it is, also one that is none; nothing while DTLS is not up."""
        await self._sctp.send_chunk(chunk)

    async def close(self) -> None:
        """Channel, then SCTP, DTLS and ICE: idempotent, and nothing of it is left when this returns."""
        if self._closed:
            return
        self._closed = True
        self._link.stop_listening()
        if self._consent is not None:
            self._consent.stop()
        for channel in self._channels:
            channel.close()
        await asyncio.sleep(0)  # lets the stream reset leave before the association is aborted
        await self._sctp.stop()
        await internals.finish_dtls(self._dtls)
        if self._wire is not None:
            self._wire.flush()  # the goodbye is on its way, whatever becomes of the sockets
        if self._losing_consent is not None:
            await self._losing_consent
        await internals.finish_ice(self._ice, self._gatherer)
        await asyncio.sleep(0)  # lets the sockets' connection_lost run

    async def vanish(self) -> None:
        """Be gone without a goodbye: no stream reset, no abort, no close_notify leaves. Then as `close`."""
        self.block()
        await self.close()

    def block(self) -> Callable[[], None]:
        """Let no datagram in or out, as a firewall does; returns what lifts that."""
        protocols = internals.protocols_of(self._gatherer)

        def be_silent(silent: bool) -> None:
            for protocol in protocols:
                protocol.silent = silent
            self._link.look()

        be_silent(True)
        return lambda: be_silent(False)

    def flush(self) -> None:
        """Hand on what is held."""
        self._link.flush()

    def leave_checks_unanswered(self) -> None:
        """Hear connectivity checks and answer none of them."""
        for protocol in internals.protocols_of(self._gatherer):
            protocol.unanswering = True

    # --- media ---

    @property
    def on_rtp(self) -> OnPacket | None:
        """Gets each RTP packet."""
        return self._link.on_rtp

    @on_rtp.setter
    def on_rtp(self, listener: OnPacket | None) -> None:
        self._link.on_rtp = listener

    @property
    def on_rtcp(self) -> OnPacket | None:
        """Gets each RTCP compound."""
        return self._link.on_rtcp

    @on_rtcp.setter
    def on_rtcp(self, listener: OnPacket | None) -> None:
        self._link.on_rtcp = listener

    # --- states ---

    def _tell(self, layer: Layer, state: str, detail: str = "") -> None:
        self._on_state(layer, state, detail)

    def _gathering_changed(self) -> None:
        self._tell("gathering", "complete" if self._gatherer.state == "completed" else self._gatherer.state)

    def _ice_changed(self) -> None:
        if self._losing_consent is None or self._ice.state != "failed":  # that was told, with its reason
            self._tell("ice", W3C_ICE_STATES.get(self._ice.state, self._ice.state))

    def _consent_expired(self) -> None:
        self._losing_consent = asyncio.get_running_loop().create_task(internals.stop_sending(self._gatherer))
        what = "no check came" if self.lite else "no check was answered"
        self._tell("ice", "failed", f"{what} for {self._times.expiry:g} s (RFC 7675)")

    def _dtls_changed(self) -> None:
        self._link.dtls_changed()
        detail = ""
        if self._dtls.state == "failed":
            detail = internals.fingerprint_mismatch(self._dtls, self._remote_fingerprints)
        self._tell("dtls", self._dtls.state, detail)

    def _channel_came(self, raw: RTCDataChannel) -> None:
        channel = self._adopt(Channel(raw, self._on_failed))
        if self.on_channel is not None:
            self.on_channel(channel)

    def _adopt(self, channel: Channel) -> Channel:
        self._channels.append(channel)
        return channel


@cache
def _certificate() -> RTCCertificate:
    """One for the process: making one costs as much as a handshake, and calls need not be unlinkable."""
    return internals.new_certificate()


def _ice_string(length: int) -> str:
    number, digits = secrets.randbelow(len(ICE_CHARS) ** length), ""
    for _ in range(length):
        number, digit = divmod(number, len(ICE_CHARS))
        digits += ICE_CHARS[digit]
    return digits


def _to_aiortc(candidate: Candidate) -> RTCIceCandidate:
    return RTCIceCandidate(
        component=candidate.component,
        foundation=candidate.foundation,
        ip=candidate.address,
        port=candidate.port,
        priority=candidate.priority,
        protocol=candidate.protocol,
        type=candidate.type,
        tcpType=candidate.tcp_type,
    )
