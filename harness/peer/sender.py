"""Sending one Opus stream: pre-encoded packets, RTP headers, sender reports."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from harness.core.audio_format import FRAME_SAMPLES
from harness.peer import rtcp
from harness.peer.native.lane import BEGUN, LOOK, REFILL, UNSENT, MediaLane
from harness.peer.native.library import BATCH as LANE_BATCH
from harness.peer.pacer import Pacer
from harness.peer.receiver import AudioReceiver

_header = struct.Struct("!BBHLL").pack
LOOK_SECONDS = 0.2
REPORT_SECONDS = 2.5  # half of RFC 3550's fixed five seconds, as its section 6.2 allows for unicast


class PacketSource(Protocol):
    """Gives the Opus payload of each 20 ms; None sends nothing, as discontinuous transmission does."""

    def next_packet(self) -> bytes | None: ...

    def foreseen(self) -> int:
        """How many packets may be taken at once, at least 1: nothing begins or ends after the first."""
        ...


class Outlet(Protocol):
    """Where RTP and RTCP go; each that sends says whether that was possible."""

    def protect_rtp(self, packet: bytes, /) -> bytes | None:
        """The datagram that carries an RTP packet; None while there are no keys."""
        ...

    def send_protected(self, datagram: bytes, /) -> bool: ...

    def send_rtcp(self, compound: bytes, /) -> bool: ...


@runtime_checkable
class LaneOutlet(Protocol):
    """One whose media may go through C."""

    @property
    def lane(self) -> MediaLane | None: ...


class AudioSender:
    """One outgoing stream on the loop's pacer; the timestamp runs on through gaps.

    So many packets as its source foresees are protected one after the other, up to `ahead`: among hundreds
    of calls that costs far less than each by itself. What is said meanwhile begins up to so many frames
    later. `on_begun` gets the RTP timestamp of the first packet once it is sent; `chores` are done every
    0.2 s, whether anything is sent or not.
    """

    def __init__(
        self,
        outlet: Outlet,
        source: PacketSource,
        *,
        ssrc: int | None = None,
        payload_type: int = 111,
        cname: str = "",
        ahead: int = 1,
        receiver: AudioReceiver | None = None,
        on_begun: Callable[[int], None] | None = None,
        on_failed: Callable[[Exception], None] | None = None,
        chores: Callable[[], None] | None = None,
    ) -> None:
        self.ssrc = ssrc if ssrc is not None else new_ssrc()
        self.source = source
        self.cname = cname or f"stream-{self.ssrc:x}"
        self._lane = outlet.lane if isinstance(outlet, LaneOutlet) and ahead == LANE_BATCH else None
        self._sent = 0
        self._octets = 0  # of payloads, sent or ready
        self._protect = outlet.protect_rtp
        self._send = outlet.send_protected
        self._send_report = outlet.send_rtcp
        self._chores = chores
        self.payload_type = payload_type
        self._ahead = ahead
        # The datagrams of the next frames, the last first; None where nothing is sent.
        self._ready: list[bytes | None] = []
        self._overhead = 0  # bytes of a datagram that are no payload
        self._receiver = receiver
        self._on_begun = on_begun
        self._on_failed = on_failed
        # The lower half of the range, so that no early wrap confuses SRTP's roll-over counter.
        self._sequence = secrets.randbelow(1 << 15)
        self._timestamp = secrets.randbits(32)
        self._marker = 0x80
        self._last_report = self._next_look = 0.0
        self._stop: Callable[[], None] | None = None

    def start(self, pacer: Pacer | None = None) -> None:
        """Begin ticking; packets go out from the moment the transport is up."""
        if self._stop is not None:
            return
        pacer = pacer or Pacer.shared()
        if self._lane is None:
            self._stop = pacer.add(self.tick, self._on_failed)
        else:
            state = self._lane.state
            state.ssrc, state.sequence, state.timestamp = self.ssrc, self._sequence, self._timestamp
            state.marker = 0x80
            self._stop = pacer.add_lane(self._lane, self, self._on_failed)

    @property
    def packets(self) -> int:
        """Packets sent."""
        return self._sent if self._lane is None else int(self._lane.state.sent)

    def stop(self) -> None:
        """Stop for good; idempotent."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    def tick(self, deadline: float) -> None:
        """Send this frame's packet."""
        if not self._ready:
            self._make_ready()
        datagram = self._ready.pop()
        if datagram is not None and self._send(datagram):
            self._sent += 1
            if self._sent == 1 and self._on_begun is not None:
                self._on_begun(self._sent_timestamp())
        if deadline >= self._next_look:
            self._look(deadline)

    def serve(self, what: int, deadline: float) -> None:
        """What this frame needs of us beside the lane's sending."""
        lane = self._lane
        if lane is None:
            return
        if what & REFILL:
            lane.state.payload_type = self.payload_type
            next_packet = self.source.next_packet
            lane.protect([next_packet() for _ in range(min(LANE_BATCH, self.source.foreseen()))])
            what |= lane.send()
        if what & UNSENT and self._send(lane.unsent()):
            lane.state.sent += 1
            what |= BEGUN if lane.state.sent == 1 else 0
        if what & BEGUN and self._on_begun is not None:
            self._on_begun(self._sent_timestamp())
        if what & LOOK:
            self._look(deadline)
            lane.state.next_look = self._next_look

    def _make_ready(self) -> None:
        """Protect what is foreseen."""
        next_packet, protect, timestamp = self.source.next_packet, self._protect, self._timestamp
        for _ in range(min(self._ahead, self.source.foreseen())):
            datagram, payload = None, next_packet()
            if payload is None:
                self._marker = 0x80  # RFC 3551, section 4.1: the first packet after silence
            else:
                kind = self.payload_type | self._marker
                datagram = protect(_header(0x80, kind, self._sequence, timestamp, self.ssrc) + payload)
                if datagram is not None:
                    self._marker = 0
                    self._sequence = (self._sequence + 1) & 0xFFFF
                    self._octets += len(payload)
                    self._overhead = len(datagram) - len(payload)
            self._ready.append(datagram)
            timestamp = (timestamp + FRAME_SAMPLES) & 0xFFFFFFFF
        self._timestamp = timestamp
        self._ready.reverse()

    def _sent_timestamp(self) -> int:
        """Of the frame that was sent last."""
        if self._lane is not None:
            timestamp, ready = self._lane.state.timestamp, self._lane.ready
        else:
            timestamp, ready = self._timestamp, len(self._ready)
        return int(timestamp - FRAME_SAMPLES * (ready + 1)) & 0xFFFFFFFF

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
        if self.packets:
            timestamp = self._sent_timestamp()
            octets = self._octets - sum(len(d) - self._overhead for d in self._ready if d is not None)
            if self._lane is not None:
                octets = int(self._lane.state.octets)
            compound = rtcp.sender_report(self.ssrc, self.cname, now, timestamp, self.packets, octets, blocks)
        elif blocks:
            compound = rtcp.receiver_report(self.ssrc, self.cname, blocks)
        else:
            return
        self._send_report(compound)


def new_ssrc() -> int:
    """A random SSRC that is not 0."""
    return secrets.randbelow(0xFFFFFFFF) + 1
