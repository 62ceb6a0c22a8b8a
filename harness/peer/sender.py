"""Sending one Opus stream: pre-encoded packets, RTP headers, sender reports."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable
from typing import Protocol

from harness.peer import rtcp
from harness.peer.pacer import Pacer
from harness.peer.receiver import AudioReceiver

SAMPLES_PER_FRAME = 960  # 20 ms at 48 kHz
_header = struct.Struct("!BBHLL").pack
LOOK_SECONDS = 0.2
REPORT_SECONDS = 2.5  # half of RFC 3550's fixed five seconds, as its section 6.2 allows for unicast


class PacketSource(Protocol):
    """Gives the Opus payload of each 20 ms; None sends nothing, as discontinuous transmission does."""

    def next_packet(self) -> bytes | None: ...


class Outlet(Protocol):
    """Where RTP and RTCP go; each says whether that was possible."""

    def send_rtp(self, packet: bytes, /) -> bool: ...

    def send_rtcp(self, compound: bytes, /) -> bool: ...


class AudioSender:
    """One outgoing stream on the loop's pacer; the timestamp runs on through gaps.

    `chores` are done every 0.2 s, whether anything is sent or not.
    """

    def __init__(
        self,
        outlet: Outlet,
        source: PacketSource,
        *,
        ssrc: int | None = None,
        payload_type: int = 111,
        receiver: AudioReceiver | None = None,
        on_sent: Callable[[float], None] | None = None,
        on_failed: Callable[[Exception], None] | None = None,
        chores: Callable[[], None] | None = None,
    ) -> None:
        self.ssrc = ssrc if ssrc is not None else new_ssrc()
        self.source = source
        self.packets = 0
        self.octets = 0
        self._send = outlet.send_rtp
        self._send_report = outlet.send_rtcp
        self._chores = chores
        self.payload_type = payload_type
        self._receiver = receiver
        self._on_sent = on_sent
        self._on_failed = on_failed
        # The lower half of the range, so that no early wrap confuses SRTP's roll-over counter.
        self._sequence = secrets.randbelow(1 << 15)
        self._timestamp = secrets.randbits(32)
        self._marker = 0x80
        self._last_report = self._next_look = 0.0
        self._stop: Callable[[], None] | None = None

    def start(self, pacer: Pacer | None = None) -> None:
        """Begin ticking; packets go out from the moment the transport is up."""
        if self._stop is None:
            self._stop = (pacer or Pacer.shared()).add(self.tick, self._on_failed)

    def stop(self) -> None:
        """Stop for good; idempotent."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    def tick(self, deadline: float) -> None:
        """Send this frame's packet."""
        payload = self.source.next_packet()
        if payload is None:
            self._marker = 0x80  # RFC 3551, section 4.1: the first packet after silence
        else:
            kind = self.payload_type | self._marker
            header = _header(0x80, kind, self._sequence, self._timestamp, self.ssrc)
            if self._send(header + payload):
                if self.packets == 0 and self._on_sent is not None:
                    self._on_sent(deadline)
                self._marker = 0
                self._sequence = (self._sequence + 1) & 0xFFFF
                self.packets += 1
                self.octets += len(payload)
        self._timestamp = (self._timestamp + SAMPLES_PER_FRAME) & 0xFFFFFFFF
        if deadline >= self._next_look:
            self._look(deadline)

    def _look(self, now: float) -> None:
        """What need not be done with each packet."""
        self._next_look = now + LOOK_SECONDS
        if self._chores is not None:
            self._chores()
        if now - self._last_report >= REPORT_SECONDS:
            self._last_report = now
            self._report(now)

    def _report(self, now: float) -> None:
        blocks = self._receiver.report_blocks(now) if self._receiver is not None else []
        cname = f"stream-{self.ssrc:x}"
        if self.packets:
            compound = rtcp.sender_report(
                self.ssrc, cname, now, self._timestamp, self.packets, self.octets, blocks
            )
        elif blocks:
            compound = rtcp.receiver_report(self.ssrc, cname, blocks)
        else:
            return
        self._send_report(compound)


def new_ssrc() -> int:
    """A random SSRC that is not 0."""
    return secrets.randbelow(0xFFFFFFFF) + 1
