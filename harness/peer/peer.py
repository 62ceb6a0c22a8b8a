"""The caller's end of a call, in the order of operations of a browser page; everything goes to the record."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from harness.core.bounds import EventAllowance
from harness.core.caller_end import MessageTooLongError, Wire
from harness.core.clock import RelativeClock
from harness.core.events import (
    CandidateFound,
    ChecksCounted,
    ClientEvent,
    Event,
    EventInvalid,
    EventUnsent,
    HarnessFailed,
    Layer,
    OfferCreated,
    OtherCodecHeard,
    PacingMeasured,
    PacketMalformed,
    PairSelected,
    ReceiverReport,
    SendingStarted,
    ServerEvent,
    StateChanged,
)
from harness.core.offer_shapes import MINIMAL
from harness.core.sdp import SessionDescription, parse_sdp
from harness.core.strict_json import json_object
from harness.peer.aiortc_internals import AskServers
from harness.peer.answers import check_answer
from harness.peer.channel import Message
from harness.peer.heard import Decode, ReceivedAudio
from harness.peer.heard_lightly import ReceivedAudioLight
from harness.peer.offering import Offering
from harness.peer.offers import shape_named
from harness.peer.pacer import Pacer
from harness.peer.receiver import AudioReceiver
from harness.peer.remote import Remote
from harness.peer.rtcp import ReportSeen
from harness.peer.sender import AudioSender, new_ssrc
from harness.peer.source import Microphone
from harness.peer.spare_ports import SparePorts
from harness.peer.transport import Transport

CHANNEL_LABEL = "oai-events"
MOST_TOLD = 50  # of what may differ with each packet
NO_SPEECH = ("cn", "telephone-event")
BATCH = 5  # datagrams that a light peer opens, or protects, one after the other: 100 ms


class Peer:
    """One call's WebRTC end: `create_offer`, `accept_answer`, then talk; `close` always.

    `record` takes every event; `clock` is the timeline's. A light one keeps no packets and no samples, and
    decodes no more than it needs to tell what is audible. `shape`: how its offer is written. `ufrag`: the
    call's name, where it is not drawn.
    """

    def __init__(
        self,
        *,
        record: Callable[[Event], None],
        clock: RelativeClock,
        microphone: Microphone,
        new_decoder: Callable[[], Decode],
        light: bool = False,
        addresses: Sequence[str] | None = None,
        ask_servers: AskServers | None = None,
        relay_only: bool = False,
        shape: str = MINIMAL,
        ufrag: str = "",
    ) -> None:
        self.shape = shape
        self._shape = shape_named(shape)
        self._cname = self._shape.draw.cname()
        self._spare = SparePorts()
        self.microphone = microphone
        self._record = record
        self._clock = clock
        self._connecting: asyncio.Task[None] | None = None
        self._offer = ""
        self._told: set[tuple[str, str]] = set()
        self._allowance = EventAllowance()
        self._answer: SessionDescription | None = None
        self._ssrc = new_ssrc()
        # The order is the browser page's: listeners, audio, data channel, then the offer.
        self.heard: ReceivedAudio | ReceivedAudioLight
        if light:
            self.heard = ReceivedAudioLight(record, clock, new_decoder)
        else:
            self.heard = ReceivedAudio(record, clock, new_decoder())
        self._others: set[int] = set()
        self._receiver = AudioReceiver(
            on_packet=self.heard.packet, on_report=self._report, on_other=self._other_codec
        )
        self._receiver.our_ssrc = self._ssrc
        self._transport = Transport(
            controlling=True,
            on_state=self._state,
            on_malformed=self._malformed,
            on_failed=self._failed,
            addresses=addresses,
            ask_servers=ask_servers,
            relay_only=relay_only,
            on_rtp=self._receiver.rtp,
            on_rtcp=self._receiver.rtcp,
            batch=BATCH if light else 1,
            ufrag=ufrag or self._shape.draw.ufrag(),
            pwd=self._shape.draw.pwd(),
        )
        self._sender = AudioSender(
            self._transport,
            microphone,
            ssrc=self._ssrc,
            cname=self._cname,
            ahead=BATCH if light else 1,
            receiver=self._receiver,
            on_begun=self._sending_begun,
            on_failed=self._sending_failed,
            chores=self._transport.flush,  # what was received and is held waits no longer
        )
        self._channel = self._transport.open_channel(CHANNEL_LABEL)
        self._channel.on_message = self._message
        self._channel.on_state = lambda state: self._state("channel", state, "")

    @property
    def ufrag(self) -> str:
        """The offer's ice-ufrag: the call's name at both ends."""
        return self._transport.ufrag

    @property
    def offer(self) -> str:
        """What `create_offer` made; empty before."""
        return self._offer

    @property
    def channel_state(self) -> str:
        return self._channel.state

    def put_behind(self, wire: Wire) -> None:
        """Let a wire decide which datagrams pass, and when; once and for good."""
        self._transport.put_behind(wire)

    async def rebind(self) -> bool:
        """Go on from a new local port; whether the other end answered there."""
        return await self._transport.rebind()

    def counted(self) -> tuple[int, int, int]:
        """Packets sent, received, and missing among those received so far."""
        self._transport.flush()
        return self._sender.packets, self._receiver.packets, self._receiver.lost

    async def create_offer(self) -> str:
        """Gather candidates and write the offer."""
        await self._transport.gather()
        for candidate in self._transport.candidates:
            self._record(
                CandidateFound(
                    at=self._clock.now(),
                    type=candidate.type,
                    protocol=candidate.protocol,
                    address=candidate.address,
                    port=candidate.port,
                )
            )
        hosts = [c.address for c in self._transport.candidates if c.type == "host"]
        for _ in range(self._shape.spare):
            self._spare.bind(hosts)
        offering = Offering(
            self._transport, ssrc=self._ssrc, cname=self._cname, spare=tuple(self._spare.numbers)
        )
        self._offer = self._shape.write(offering)
        self._record(OfferCreated(at=self._clock.now(), sdp=self._offer, shape=self.shape))
        return self._offer

    def accept_answer(self, sdp: str, *, ice_seconds: float, dtls_seconds: float) -> None:
        """Begin to connect in the background; raises SdpUnusableError as setRemoteDescription would."""
        answer = parse_sdp(sdp)
        offer = parse_sdp(self._offer)
        check_answer(answer, offer)
        remote = Remote.from_sdp(answer)
        self._spare.close()
        # RFC 3264, section 6.1: the offer's numbers are those that its sender asks for; some answer others.
        asked = [s.codec("opus") for s in offer.sections if s.kind == "audio"]
        self._receiver.payload_types = frozenset(
            {remote.payload_type, *(codec.payload_type for codec in asked if codec)}
        )
        self._answer = answer
        self._connecting = asyncio.get_running_loop().create_task(
            self._connect(remote, ice_seconds, dtls_seconds), name=f"connect-{self.ufrag}"
        )

    def send(self, event: dict[str, Any]) -> None:
        """Send one client event; raises ChannelClosedError and MessageTooLongError as the channel does."""
        text = json.dumps(event, ensure_ascii=False)
        try:
            self._channel.send(text)
        except MessageTooLongError:
            size, event_id = len(text.encode()), str(event.get("event_id", ""))
            kind = str(event.get("type", ""))
            self._record(EventUnsent(at=self._clock.now(), type=kind, size=size, event_id=event_id))
            raise
        self._record(ClientEvent(at=self._clock.now(), event=event))

    def send_raw(self, text: str) -> None:
        """Send a message that is no event; it is not recorded as one."""
        self._channel.send(text)

    async def vanish(self) -> None:
        """Be gone without a goodbye: nothing more leaves. Then as `close`."""
        self._sender.stop()
        self._transport.block()
        await self.close()

    async def close(self) -> None:
        """Channel, transport, then the tracks, as the page's clean-up does; idempotent."""
        self._spare.close()
        if self._connecting is not None:
            self._connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._connecting
            self._connecting = None
            self._measure()
        self._transport.flush()
        await self._transport.close()
        self._sender.stop()
        self.microphone.fall_silent()
        self.heard.flush()

    async def _connect(self, remote: Remote, ice_seconds: float, dtls_seconds: float) -> None:
        try:
            await self._connect_stages(remote, ice_seconds, dtls_seconds)
        except Exception as error:  # whatever an answer made of the transport, the caller is to hang up
            self._failed("connecting", error)

    async def _connect_stages(self, remote: Remote, ice_seconds: float, dtls_seconds: float) -> None:
        if not await self._transport.start_ice(remote, ice_seconds):
            return
        if (pair := self._transport.selected_pair) is not None:
            self._record(PairSelected(at=self._clock.now(), local=pair[0], remote=pair[1]))
        if not await self._transport.start_dtls(remote, dtls_seconds):
            return
        self._sender.payload_type = remote.payload_type
        self._sender.start()
        await self._transport.start_sctp(remote)

    def _measure(self) -> None:
        checks = self._transport.checks
        self._record(
            ChecksCounted(
                at=self._clock.now(),
                sent=checks.sent,
                answered=checks.answered,
                refused=checks.refused,
                received=checks.received,
                replied=checks.replied,
            )
        )
        if self._sender.packets:
            pacer = Pacer.shared()
            p50, p99, worst = (round(pacer.lateness_ms(q, self._sender.packets), 3) for q in (50, 99, 100))
            self._record(
                PacingMeasured(
                    at=self._clock.now(), packets=self._sender.packets, p50=p50, p99=p99, max=worst
                )
            )

    # --- listeners ---

    def _state(self, layer: Layer, state: str, detail: str) -> None:
        self._record(StateChanged(at=self._clock.now(), layer=layer, state=state, detail=detail))

    def _sending_begun(self, timestamp: int) -> None:
        self._record(SendingStarted(at=self._clock.now(), ssrc=self._ssrc, timestamp=timestamp))

    def _sending_failed(self, error: Exception) -> None:
        self._failed("sending audio", error)

    def _failed(self, where: str, error: Exception) -> None:
        """Once for each kind: the next packets may fail alike."""
        kind = where, type(error).__name__
        if kind not in self._told:
            self._told.add(kind)
            self._record(HarnessFailed(at=self._clock.now(), error=repr(error), where=where))

    def _malformed(self, problem: str) -> None:
        if ("malformed", problem) not in self._told and len(self._told) < MOST_TOLD:
            self._told.add(("malformed", problem))
            self._record(PacketMalformed(at=self._clock.now(), problem=problem))

    def _other_codec(self, payload_type: int) -> None:
        """Once for each; comfort noise and key presses are no speech."""
        if payload_type in self._others:
            return
        self._others.add(payload_type)
        section = self._answer.section("audio") if self._answer else None
        codec = next((c for c in section.codecs if c.payload_type == payload_type), None) if section else None
        if codec is None or codec.name not in NO_SPEECH:
            name = f"{codec.name}/{codec.clock_rate}" if codec else "a codec that the answer does not name"
            self._record(OtherCodecHeard(at=self._clock.now(), payload_type=payload_type, codec=name))

    def _report(self, report: ReportSeen) -> None:
        self._record(
            ReceiverReport(
                at=self._clock.now(),
                fraction_lost=round(report.fraction_lost, 4),
                lost=report.lost,
                jitter_ms=round(report.jitter_ms, 3),
                round_trip_ms=None if report.round_trip_ms is None else round(report.round_trip_ms, 3),
            )
        )

    def _message(self, message: Message) -> None:
        raw = message if isinstance(message, str) else message.decode("utf-8", "replace")
        size = len(message.encode() if isinstance(message, str) else message)
        if not self._allowance.takes(size):
            if self._allowance.refused == 1:
                problem = self._allowance.problem
                self._record(EventInvalid(at=self._clock.now(), type="", problem=problem))
            return
        event = json_object(raw)
        if event is not None:
            self._record(ServerEvent(at=self._clock.now(), event=event, size=size))
        else:
            self._record(ServerEvent(at=self._clock.now(), event=None, raw=raw[:2000], size=size))
