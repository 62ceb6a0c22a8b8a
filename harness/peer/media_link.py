"""SRTP straight between the DTLS keys and the nominated pair: no task and no queue for a packet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.core.clock import MonotonicClock
from harness.peer import aiortc_internals as internals
from harness.peer import srtp
from harness.peer.agents import Agent
from harness.peer.datagrams import DatagramSocket
from harness.peer.dtls import Dtls
from harness.peer.native.lane import MediaLane
from harness.peer.native.library import BATCH as LANE_BATCH
from harness.peer.protocol import is_closing

OnFailed = Callable[[str, Exception], None]  # where, and what
OnPacket = Callable[[bytes, float], None]  # a plain RTP packet or RTCP compound, and its arrival

SHORTEST = 12  # bytes: an RTP header

_now = MonotonicClock.now


class MediaLink:
    """Where one call's media goes out and comes in. `on_rtp` and `on_rtcp` get what is authentic.

    `on_failed` is told what a packet made fail, here or in a listener.

    Where to send is looked up when that changes or fails, so that a packet does not pay for it.
    What came in is opened when so many datagrams are `batch`, or at `flush`: one after the other they
    cost less than each by itself, among those of other calls. Arrivals are those of the datagrams.
    """

    def __init__(self, agent: Agent, dtls: Dtls, on_failed: OnFailed, batch: int = 1) -> None:
        self._on_failed = on_failed
        self.on_rtp: OnPacket | None = None
        self.on_rtcp: OnPacket | None = None
        self._dtls = dtls
        self._batch = batch
        self._held: list[tuple[bytes, float]] = []
        # For hundreds of calls, where it is built: in C, with the same sessions and sockets.
        self.lane = MediaLane.where_built() if batch == LANE_BATCH else None
        if self.lane is not None:
            self.lane.on_full = self.flush
        self._agent = agent
        self._protect = self._open = srtp.CLOSED
        self._transport: Any = None
        self._address: tuple[str, int] = ("", 0)
        self._sendto: internals.SendTo = internals.send_nowhere
        internals.watch_nominations(agent, self.look)

    def dtls_changed(self) -> None:
        """Take the keys when the handshake is done; send no more when DTLS is over."""
        self._protect = srtp.CLOSED
        if self._dtls.state == "connected" and self._dtls.sessions is not None:
            outgoing, incoming = self._dtls.sessions
            self._protect, self._open = srtp.protection(outgoing), srtp.opening(incoming)
            if self.lane is not None:
                self.lane.keys(outgoing, incoming)
        elif self.lane is not None and self._dtls.sessions is not None:
            self.lane.keys(None, self._dtls.sessions[1])

    def look(self) -> None:
        """Another pair was nominated, or the same goes on over another socket."""
        pair = internals.nominated_pair(self._agent)
        transport = None if pair is None else pair.protocol.transport
        if transport is not self._transport:
            self._transport, self._sendto = transport, internals.sending_over(transport)
        if pair is not None:
            self._address = pair.remote_addr
        if self.lane is not None:
            self._lead(self.lane)

    def _lead(self, lane: MediaLane) -> None:
        """Let media go between the lane and the sockets where nothing else is to be done to it."""
        if isinstance(self._transport, DatagramSocket):
            self._transport.send_from(lane, self._address)
        else:
            lane.unplug()
        for protocol in internals.protocols_of(self._agent):
            if isinstance(protocol.socket, DatagramSocket):
                protocol.socket.give_media(lane if protocol.is_plain else None)

    def protect_rtp(self, packet: bytes) -> bytes | None:
        """The SRTP packet of a plain one; None while DTLS is not up."""
        return self._protect.rtp(packet)

    def send_protected(self, datagram: bytes) -> bool:
        """Send an SRTP packet; False while ICE is not up."""
        try:
            self._sendto(datagram, self._address)
        except OSError:
            return self._send_after_all(datagram)
        return True

    def send_rtp(self, packet: bytes) -> bool:
        """Protect and send; False while DTLS or ICE is not up."""
        protected = self._protect.rtp(packet)
        return protected is not None and self.send_protected(protected)

    def send_rtcp(self, compound: bytes) -> bool:
        """Protect and send; False while DTLS or ICE is not up."""
        protected = self._protect.rtcp(compound)
        return protected is not None and self._send_after_all(protected)

    def _send_after_all(self, protected: bytes) -> bool:
        """Over the socket that is now right, which keeps what the kernel has no room for."""
        self.look()
        if self._transport is None or is_closing(self._transport):
            return False
        self._transport.sendto(protected, self._address)
        return True

    def received(self, datagram: bytes, arrival: float | None) -> None:
        """Take an SRTP or SRTCP packet; one that is not authentic is dropped."""
        at = _now() if arrival is None else arrival
        if self.lane is not None:
            if self.lane.hold(datagram, at):
                self.flush()
            return
        held = self._held
        held.append((datagram, at))
        if len(held) >= self._batch:
            self.flush()

    def flush(self) -> None:
        """Open what is held, and hand it on in the order in which it came."""
        if self.lane is not None:
            for taken, arrival, control in self.lane.opened():
                listener = self.on_rtcp if control else self.on_rtp
                if listener is not None:
                    try:
                        listener(taken, arrival)
                    except Exception as error:  # as below
                        self._on_failed("reading media", error)
            return
        held, self._held = self._held, []
        open_rtp, open_rtcp = self._open
        for datagram, arrival in held:
            if len(datagram) < SHORTEST:
                continue
            try:
                if 192 <= datagram[1] <= 208:  # RFC 5761, section 4
                    packet, listener = open_rtcp(datagram), self.on_rtcp
                else:
                    packet, listener = open_rtp(datagram), self.on_rtp
                if packet is not None and listener is not None:
                    listener(packet, arrival)
            except Exception as error:  # the next packet may be read, and other calls go on
                self._on_failed("reading media", error)

    def stop_listening(self) -> None:
        """Hand on nothing more."""
        self.on_rtp = self.on_rtcp = None
