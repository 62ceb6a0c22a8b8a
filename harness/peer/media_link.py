"""SRTP straight between the DTLS keys and the nominated pair: no task and no queue for a packet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiortc import RTCDtlsTransport, RTCIceGatherer

from harness.core.clock import MonotonicClock
from harness.peer import aiortc_internals as internals
from harness.peer import srtp

OnPacket = Callable[[bytes, float], None]  # a plain RTP packet or RTCP compound, and its arrival

_now = MonotonicClock.now


class MediaLink:
    """Where one call's media goes out and comes in. `on_rtp` and `on_rtcp` get what is authentic."""

    def __init__(self, gatherer: RTCIceGatherer, dtls: RTCDtlsTransport) -> None:
        self.on_rtp: OnPacket | None = None
        self.on_rtcp: OnPacket | None = None
        self._dtls = dtls
        self._nominated = internals.nominated_pairs(gatherer)
        self._pair: Any = None
        self._transport: Any = None
        self._address: tuple[str, int] = ("", 0)
        self._sendto: Callable[[bytes, tuple[str, int]], None]
        self._is_closing: Callable[[], bool]
        self._protect: srtp.Crypt | None = None
        self._open: srtp.Crypt | None = None

    def dtls_changed(self) -> None:
        """Take the keys when the handshake is done; send no more when DTLS is over."""
        self._protect = None
        if self._dtls.state == "connected":
            outgoing, incoming = internals.srtp_sessions(self._dtls)
            self._protect, self._open = srtp.protection(outgoing), srtp.opening(incoming)

    def send_rtp(self, packet: bytes) -> bool:
        """Protect and send; False while DTLS or ICE is not up."""
        return self._protect is not None and self._send(self._protect.rtp(packet))

    def send_rtcp(self, compound: bytes) -> bool:
        """Protect and send; False while DTLS or ICE is not up."""
        return self._protect is not None and self._send(self._protect.rtcp(compound))

    def _send(self, protected: bytes | None) -> bool:
        pair = self._nominated.get(1)
        if pair is None or protected is None:
            return False
        transport = pair.protocol.transport
        if transport is not self._transport or pair is not self._pair:
            self._take(pair, transport)
        if self._is_closing():
            return False
        self._sendto(protected, self._address)
        return True

    def _take(self, pair: Any, transport: Any) -> None:
        """Another pair was nominated, or the same goes on over another socket."""
        self._pair, self._transport, self._address = pair, transport, pair.remote_addr
        self._sendto, self._is_closing = transport.sendto, internals.closing_of(transport)

    def received(self, datagram: bytes, arrival: float | None) -> None:
        """Open an SRTP or SRTCP packet and hand it on; one that is not authentic is dropped."""
        if self._open is None or len(datagram) < 12:
            return
        if 192 <= datagram[1] <= 208:  # RFC 5761, section 4
            packet, listener = self._open.rtcp(datagram), self.on_rtcp
        else:
            packet, listener = self._open.rtp(datagram), self.on_rtp
        if packet is not None and listener is not None:
            listener(packet, _now() if arrival is None else arrival)

    def stop_listening(self) -> None:
        """Hand on nothing more."""
        self.on_rtp = self.on_rtcp = None
