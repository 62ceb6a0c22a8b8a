"""One bundled ICE, DTLS and SCTP transport with SRTP, driven stage by stage.

RTCPeerConnection is not used: its stages cannot be told apart or run singly, and it starts a thread for
each received track. The stages here have W3C's names and are reported as they happen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import cache

from aiortc import (
    RTCDataChannel,
    RTCDataChannelParameters,
    RTCSctpCapabilities,
    RTCSctpTransport,
)

from harness.core.caller_end import Wire
from harness.core.chance import letters
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
from harness.peer.ice import Ice
from harness.peer.media_link import MediaLink, OnPacket
from harness.peer.native.lane import MediaLane
from harness.peer.remote import Remote

OnState = Callable[[Layer, str, str], None]


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
        self.ufrag = ufrag or letters(8)
        self.pwd = pwd or letters(24)
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
        self._ice = Ice(self._agent, addresses=addresses, ask_servers=ask_servers, relay_only=relay_only)
        self._on_failed = on_failed
        self._agent.on_failed = on_failed
        self._dtls = Dtls(self._ice.send, _certificate(), on_failed)
        self._agent.on_datagram, self._agent.on_lost = self._dtls.datagram, self._dtls.lost
        self._sctp = Association(
            self._dtls,
            on_state=lambda state: self._tell("sctp", state),
            on_malformed=on_malformed,
            on_failed=on_failed,
        )
        self._link = MediaLink(self._agent, self._dtls, on_failed, batch)
        self._link.on_rtp, self._link.on_rtcp = on_rtp, on_rtcp
        # Send one plain RTP packet or RTCP compound, or what `protect_rtp` made of one; False while the
        # transport is not up.
        self.send_rtp: Callable[[bytes], bool] = self._link.send_rtp
        self.send_rtcp: Callable[[bytes], bool] = self._link.send_rtcp
        self.protect_rtp: Callable[[bytes], bytes | None] = self._link.protect_rtp
        self.send_protected: Callable[[bytes], bool] = self._link.send_protected
        self._channels: list[Channel] = []
        self._ice.on_gathering, self._ice.on_state = self._gathering_changed, self._ice_changed
        self._dtls.on_state = self._dtls_changed
        self._sctp.on("datachannel", self._channel_came)

    # --- what a description says of us ---

    @property
    def fingerprint(self) -> str:
        """The SHA-256 digest of our certificate, `AA:BB:…`."""
        return _certificate().fingerprint

    @property
    def candidates(self) -> list[Candidate]:
        """Our candidates; empty before `gather`."""
        return self._ice.candidates

    @property
    def max_message_size(self) -> int:
        """Bytes of a data channel message that we accept."""
        return int(RTCSctpTransport.getCapabilities().maxMessageSize)

    @property
    def selected_pair(self) -> tuple[str, str] | None:
        """Local and remote candidate as `type address:port`, once ICE connected."""
        pair = internals.nominated_pair(self._agent)
        if pair is None:
            return None
        local, remote = pair.local_candidate, pair.remote_candidate
        return f"{local.type} {local.host}:{local.port}", f"{remote.type} {remote.host}:{remote.port}"

    # --- stages ---

    async def gather(self) -> None:
        """Gather candidates, until every server that is asked has answered or had its time."""
        await self._ice.gather()
        for protocol in internals.protocols_of(self._agent):
            protocol.on_media, protocol.checks = self._link.received, self.checks
            protocol.wire = self._wire
        self._link.look()

    def put_behind(self, wire: Wire) -> None:
        """Let a wire decide what passes, for good; asking servers for candidates is not behind it."""
        if self._wire is None:
            self._wire = wire
            if self._ice.gathering == "complete":
                for protocol in internals.protocols_of(self._agent):
                    protocol.wire = wire
                self._link.look()

    async def rebind(self) -> bool:
        """Go on from a new local port, as a phone that changes network; whether the other end followed."""
        followed = await internals.rebind(self._agent)
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
        await self._ice.add_remote_candidates(remote.candidates, end=end_of_candidates)
        try:
            async with asyncio.timeout(within):
                await self._ice.start(remote)
        except TimeoutError:
            self._tell("ice", "failed", f"no pair was nominated within {within:g} s")
            return False
        if self._ice.state != "connected" or self._closed:
            return False
        self._consent = Consent(self._consent_expired, self._times.expiry)
        self._agent.on_consent = self._consent.renew
        return True

    async def start_dtls(self, remote: Remote, within: float = 15.0) -> bool:
        """Shake hands; False where it failed or `within` seconds passed."""
        # Who does not say begins, for a browser: it then waits for the handshake.
        self._dtls.set_role("client" if remote.setup == "passive" else "server")
        self._remote_fingerprints = remote.fingerprints
        try:
            async with asyncio.timeout(within):
                await self._dtls.start(remote.fingerprints)
        except TimeoutError:
            self._tell("dtls", "failed", f"no handshake within {within:g} s")
            return False
        return self._dtls.state == "connected"

    async def start_sctp(self, remote: Remote) -> None:
        """Associate; does nothing for a description without a data section."""
        if remote.sctp_port is not None:
            capabilities = RTCSctpCapabilities(maxMessageSize=remote.max_message_size)
            await self._sctp.start(capabilities, remote.sctp_port)

    def send_chunk(self, chunk: bytes) -> None:
        """Send an SCTP chunk as it is, also one that is none; nothing while DTLS is not up."""
        self._sctp.send_chunk(chunk)

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
        self._dtls.stop()
        if self._wire is not None:
            self._wire.flush()  # the goodbye is on its way, whatever becomes of the sockets
        if self._losing_consent is not None:
            await self._losing_consent
        await self._ice.stop()
        await asyncio.sleep(0)  # lets the sockets' connection_lost run

    async def vanish(self) -> None:
        """Be gone without a goodbye: no stream reset, no abort, no close_notify leaves. Then as `close`."""
        self.block()
        await self.close()

    def block(self) -> Callable[[], None]:
        """Let no datagram in or out, as a firewall does; returns what lifts that."""
        protocols = internals.protocols_of(self._agent)

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
        for protocol in internals.protocols_of(self._agent):
            protocol.unanswering = True
        self._link.look()

    # --- media ---

    @property
    def lane(self) -> MediaLane | None:
        """What sends and holds media in C, where that is built and wanted."""
        return self._link.lane

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
        self._tell("gathering", self._ice.gathering)

    def _ice_changed(self) -> None:
        if self._losing_consent is None or self._ice.state != "failed":  # that was told, with its reason
            self._tell("ice", self._ice.state)

    def _consent_expired(self) -> None:
        self._losing_consent = asyncio.get_running_loop().create_task(self._agent.close())
        what = "no check came" if self.lite else "no check was answered"
        self._tell("ice", "failed", f"{what} for {self._times.expiry:g} s (RFC 7675)")

    def _dtls_changed(self) -> None:
        self._link.dtls_changed()
        detail = ""
        if self._dtls.state == "failed":
            detail = _mismatch(self._dtls.mismatch(self._remote_fingerprints))
        self._tell("dtls", self._dtls.state, detail)

    def _channel_came(self, raw: RTCDataChannel) -> None:
        channel = self._adopt(Channel(raw, self._on_failed))
        if self.on_channel is not None:
            self.on_channel(channel)

    def _adopt(self, channel: Channel) -> Channel:
        self._channels.append(channel)
        return channel


@cache
def _certificate() -> internals.Certificate:
    """One for the process: making one costs as much as a handshake, and calls need not be unlinkable."""
    return internals.new_certificate()


def _mismatch(found: tuple[str, str, str] | None) -> str:
    """In words; empty where a certificate has what was announced, or none came."""
    algorithm, announced, actual = found or ("", "", "")
    return f"the answer announced {algorithm} {announced}, the certificate has {actual}" if algorithm else ""
