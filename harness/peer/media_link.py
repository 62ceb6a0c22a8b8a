"""SRTP straight between the DTLS keys and the nominated pair: no task and no queue for a packet."""

from __future__ import annotations

from typing import Any, Protocol

from aiortc import RTCDtlsTransport, RTCIceGatherer

from harness.peer import aiortc_internals as internals
from harness.peer import srtp


class OnPacket(Protocol):
    """Takes one plain RTP packet or RTCP compound."""

    def __call__(self, packet: bytes, *, rtcp: bool) -> None: ...


class MediaLink:
    """Where one call's media goes out and comes in."""

    def __init__(self, gatherer: RTCIceGatherer, dtls: RTCDtlsTransport, on_packet: OnPacket) -> None:
        self._dtls = dtls
        self._on_packet = on_packet
        self._nominated = internals.nominated_pairs(gatherer)
        self._pair: Any = None
        self._address: tuple[str, int] = ("", 0)
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
        if pair is not self._pair:
            self._pair, self._address = pair, pair.remote_addr
        transport = pair.protocol.transport
        if transport is None or internals.is_closing(transport):
            return False
        transport.sendto(protected, self._address)
        return True

    def received(self, datagram: bytes) -> None:
        """Open an SRTP or SRTCP packet and hand it on; one that is not authentic is dropped."""
        if self._open is None or len(datagram) < 12:
            return
        rtcp = 192 <= datagram[1] <= 208  # RFC 5761, section 4
        packet = self._open.rtcp(datagram) if rtcp else self._open.rtp(datagram)
        if packet is not None:
            self._on_packet(packet, rtcp=rtcp)
