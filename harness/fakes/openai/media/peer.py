"""The fake's WebRTC end of one call: answers, connects, hears, plays, and lets go."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Callable, Sequence
from functools import partial

from harness.core.caller_end import ChannelClosedError
from harness.core.events import (
    AudioPlayed,
    ChecksCounted,
    Event,
    HarnessFailed,
    HearingStarted,
    Layer,
    PacingMeasured,
    PacketMalformed,
    Stalled,
)
from harness.core.sdp import SessionDescription
from harness.fakes.openai.hearing.detectors import Engine
from harness.fakes.openai.hearing.listening import SILENT_FRAME, Ear
from harness.fakes.openai.hearing.recognition import Recognizer
from harness.fakes.openai.hearing.remembered import RememberingDecoder
from harness.fakes.openai.media.answer import write_answer
from harness.fakes.openai.media.driver import Driver
from harness.fakes.openai.media.hooks import AnswerFault, ConnectStage, MediaFault, RtpLink
from harness.fakes.openai.media.playout import OutgoingReply, PacketPlayout
from harness.fakes.openai.media.telephony import Telephone, telephone_formats
from harness.fakes.openai.record import UpstreamRecord
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.speaking.replies import SpokenReply
from harness.peer.channel import Channel, Message
from harness.peer.pacer import Pacer
from harness.peer.receiver import AudioReceiver
from harness.peer.remote import Remote
from harness.peer.rtcp import StreamStatistics
from harness.peer.sender import AudioSender, new_ssrc
from harness.peer.stalls import StallWatch
from harness.peer.transport import Transport
from harness.speech.opus import SILENCE, Decoder, OpusDecodingError

logger = logging.getLogger(__name__)

DTLS_SECONDS = 10.0
MOST_TOLD = 50  # of what may differ with each packet
BEFORE_SECONDS = 5.0  # of a call: so long may its offer have lain unread
# Packets that are opened, decoded and judged one after the other. For load, 100 ms at a time, which halves
# their cost: the stamps of turns stay as they are, the events come up to 80 ms later.
HEARD_BATCH: dict[Engine, int] = {"silero": 1, "webrtc": 5}


class FakePeer:
    """`answer` once, then `start`; `end` from anywhere, and `closed` to wait for that."""

    def __init__(
        self,
        offer: SessionDescription,
        remote: Remote,
        *,
        record: UpstreamRecord,
        driver: Driver,
        answer_faults: Sequence[AnswerFault],
        faults: Sequence[MediaFault],
        settings: FakeSettings,
        recognizer: Recognizer,
        rng: random.Random,
        on_ended: Callable[[str], None],
    ) -> None:
        self._offer = offer
        self._remote = remote
        self._record = record
        self._driver = driver
        self._answer_faults, self._faults = answer_faults, faults
        self._settings = settings
        self._recognizer = recognizer
        self._rng = rng
        self._on_ended = on_ended
        self._channel: Channel | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False
        batch = HEARD_BATCH[settings.vad]
        self._ear = Ear(driver.hear, batch)
        self._decoder = Decoder() if batch == 1 else RememberingDecoder()
        self._telephone_formats = telephone_formats(offer.section("audio"))
        self._telephone = Telephone() if self._telephone_formats else None
        self._payload_type = remote.payload_type
        self._hearing = False
        self._undecodable = 0
        self._malformed_told: set[str] = set()
        self._play_began = 0.0
        self._receiver = AudioReceiver(on_packet=self._packet)
        self._transport = Transport(
            controlling=False,
            on_state=self._state,
            on_malformed=self._malformed,
            on_failed=self._failed,
            addresses=settings.addresses,
            on_rtp=self._rtp if self._telephone else self._receiver.rtp,
            on_rtcp=self._receiver.rtcp,
            batch=batch,
            lite=True,  # as OpenAI's servers (answers seen in August 2026)
            patience=settings.ice_patience,
        )
        self._transport.on_channel = self._channel_came
        self._playout = PacketPlayout(
            call_name=record.ufrag,
            idle=settings.idle_audio,
            faults=faults,
            on_progress=driver.played,
            progress_every=batch,
            on_over=self._played,
        )
        link: RtpLink = self._transport
        for fault in faults:
            link = fault.link(link)
        self._sender = AudioSender(
            link,
            self._playout,
            ssrc=new_ssrc(),
            payload_type=remote.payload_type,
            ahead=batch,
            receiver=self._receiver,
            on_failed=partial(self._failed, "sending audio"),
            chores=self._transport.flush,
        )
        self._receiver.our_ssrc = self._sender.ssrc
        driver.attach(send=self._send, play=self._play, stop=self._playout.stop, close=self._close_session)
        driver.recall = self._ear.recall
        record.measure = self._measure
        record.counted = self._counted
        stalls = StallWatch.shared()
        for seconds in stalls.within(BEFORE_SECONDS):  # what kept the offer waiting
            self._stalled(seconds)
        self._unlisten = stalls.listen(self._stalled)

    async def answer(self) -> str:
        """Gather candidates and answer the offer."""
        await self._transport.gather()
        for fault in self._faults:
            fault.gathered(self._transport)
        setup = "passive" if self._remote.setup == "active" else "active"
        answer = write_answer(self._offer, self._transport, ssrc=self._sender.ssrc, setup=setup)
        if self._settings.conversation.vary:
            answer = _candidates_shuffled(answer, self._rng)
        for wrong in self._answer_faults:
            answer = wrong.answer(answer)
        return answer

    def start(self) -> None:
        """Connect in the background."""
        self._spawn(self._connect())

    def end(self, reason: str, *, goodbye: bool = True) -> None:
        """Release the call; the first reason stands."""
        if self._ended:
            return
        self._ended = True
        self._unlisten()
        self._transport.on_rtp = None  # a driver that has stopped hears nothing
        self._driver.stop()
        self._sender.stop()
        self._playout.stop()
        for fault in self._faults:
            fault.closed()
        self._on_ended(reason)
        for task in self._tasks:
            task.cancel()
        self._spawn(self._transport.close() if goodbye else self._transport.vanish())

    def close_channel(self) -> None:
        """Close the data channel and nothing else."""
        if self._channel is not None:
            self._channel.close()

    def send_chunk(self, chunk: bytes) -> None:
        """Send an SCTP chunk as it is."""
        self._transport.send_chunk(chunk)

    async def closed(self) -> None:
        """Return when nothing of the call is left."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    # --- connecting ---

    async def _connect(self) -> None:
        try:
            await self._connect_stages()
        except Exception as error:  # whatever an offer made of the transport, the caller has to be released
            self._failed("connect", error)

    def _failed(self, where: str, error: Exception) -> None:
        logger.error("the call %s failed in %s", self._record.id, where, exc_info=error)
        self._record.add(
            HarnessFailed(at=self._record.clock.now(), side="upstream", error=repr(error), where=where)
        )
        self.end("internal-error")

    def _stalled(self, seconds: float) -> None:
        now = self._record.clock.now()
        self._record.add(Stalled(at=now, side="upstream", seconds=round(seconds, 3)))

    def _malformed(self, problem: str) -> None:
        if len(self._malformed_told) < MOST_TOLD and problem not in self._malformed_told:
            self._malformed_told.add(problem)
            now = self._record.clock.now()
            self._record.add(PacketMalformed(at=now, side="upstream", problem=problem))

    async def _connect_stages(self) -> None:
        within = self._settings.connect_seconds
        if not await self._go_on("ice"):
            await self._end_unless_used(within)
            return
        if not await self._transport.start_ice(self._remote, within, end_of_candidates=False):
            self.end("never-connected")
            return
        if not await self._go_on("dtls"):
            await self._end_unless_used(within)
            return
        if not await self._transport.start_dtls(self._remote, DTLS_SECONDS):
            self.end("dtls-failed")
            return
        self._playout.pass_over(self._record.clock.now() - self._play_began)
        self._sender.start()
        if await self._go_on("sctp"):
            await self._transport.start_sctp(self._remote)
        await self._end_unless_used(within)

    async def _end_unless_used(self, within: float) -> None:
        """A caller that failed at its own end may never say so."""
        await asyncio.sleep(within)
        if self._channel is None and not self._receiver.packets:
            self.end("never-connected")

    async def _go_on(self, stage: ConnectStage) -> bool:
        if stage == "ice" and any(fault.silent for fault in self._answer_faults):
            return False
        return all([await fault.before(stage) for fault in self._faults])

    def _state(self, layer: Layer, state: str, detail: str) -> None:
        self._record.layer(layer, state, detail)
        if self._ended:
            return
        if layer == "dtls" and state == "closed":
            self._left("hang-up")
        elif layer == "ice" and (state == "closed" or (state == "failed" and self._channel is not None)):
            self._left("consent-lost")

    def _left(self, reason: str) -> None:
        if all(fault.releases for fault in self._faults):
            self.end(reason)

    # --- data channel ---

    def _channel_came(self, channel: Channel) -> None:
        if self._channel is not None:
            return
        self._channel = channel
        channel.on_message = self._message
        channel.on_state = lambda state: self._state("channel", state, "")
        self._state("channel", channel.state, channel.label)
        self._spawn(self._open())

    async def _open(self) -> None:
        for fault in self._faults:
            await fault.before_channel()
        self._driver.opened()
        for fault in self._faults:
            fault.connected(self)

    def _message(self, message: Message) -> None:
        if not self._ended:
            self._driver.receive(message)

    def _send(self, text: str) -> None:
        if self._channel is None or self._ended:
            return
        try:
            self._channel.send(text)
        except ChannelClosedError:
            logger.debug("an event came too late for the closed channel of %s", self._record.id)
        except ValueError as error:
            self._record.layer("channel", self._channel.state, f"not sent: {error}")

    def _close_session(self, reason: str, _code: int) -> None:
        """The conversation is over, and the call with it."""
        self.end(reason)

    # --- media ---

    def _rtp(self, packet: bytes, arrival: float) -> None:
        """Where more than one codec was agreed on, the packet's payload type tells which it is."""
        self._payload_type = packet[1] & 0x7F if len(packet) > 1 else self._payload_type
        self._receiver.rtp(packet, arrival)

    def _packet(
        self, _arrival: float, sequence: int, timestamp: int, payload: bytes, stream: StreamStatistics
    ) -> None:
        if not self._hearing:
            self._hearing = True
            now = self._record.clock.now()
            self._record.add(HearingStarted(at=now, side="upstream", ssrc=stream.ssrc, timestamp=timestamp))
        if payload == SILENCE:  # what callers send most, and always decodes to zeros
            self._ear.hear(sequence, payload, SILENT_FRAME)
            return
        try:
            if self._telephone and (format_type := self._telephone_formats.get(self._payload_type)):
                payload, samples = self._telephone.take(payload, format_type)
            else:
                samples = self._decoder.decode(payload)
        except OpusDecodingError:
            self._undecodable += 1
            return
        if (clip := self._recognizer.clip(payload)) is not None:
            self._driver.recognise(clip)
        self._ear.hear(sequence, payload, samples)

    def _play(self, response_id: str, reply: SpokenReply) -> None:
        """Begin at once: what a sideband asked for before the media is up loses its first words."""
        self._play_began = self._record.clock.now()
        self._playout.play(response_id, reply)

    def _played(self, playing: OutgoingReply, whole: bool) -> None:
        played_ms = playing.reply.duration_ms if whole and playing.complete else playing.played_ms
        self._record.add(
            AudioPlayed(
                at=self._record.clock.now(),
                side="upstream",
                clip=playing.reply.name,
                duration_ms=playing.reply.duration_ms,
                played_ms=played_ms,
                transcript=playing.reply.transcript,
            )
        )
        if whole:
            self._driver.played_out()

    def _measure(self) -> dict[str, float]:
        return {
            "packets_received": self._receiver.packets,
            "packets_lost": self._receiver.lost,
            "packets_late": self._ear.late,
            "packets_undecodable": self._undecodable,
            "jitter_ms": round(self._receiver.jitter_ms, 3),
            "packets_sent": self._sender.packets,
            "audio_ms": self._driver.audio_ms,
        }

    def _counted(self) -> list[Event]:
        """What only the end of a call can say, or a look at it while it lives."""
        at, checks = self._record.clock.now(), self._transport.checks
        counted: list[Event] = [
            ChecksCounted(
                at=at,
                side="upstream",
                sent=checks.sent,
                answered=checks.answered,
                refused=checks.refused,
                received=checks.received,
                replied=checks.replied,
            )
        ]
        if packets := self._sender.packets:
            pacer = Pacer.shared()
            p50, p99, worst = (round(pacer.lateness_ms(q, packets), 3) for q in (50, 99, 100))
            counted.append(
                PacingMeasured(at=at, side="upstream", packets=packets, p50=p50, p99=p99, max=worst)
            )
        return counted

    def _spawn(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)  # type: ignore[arg-type]  # a coroutine
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _candidates_shuffled(sdp: str, rng: random.Random) -> str:
    """The order of candidate lines says nothing: their priorities do (RFC 8839, section 5.1)."""

    def shuffled(block: re.Match[str]) -> str:
        lines = block.group().splitlines(keepends=True)
        rng.shuffle(lines)
        return "".join(lines)

    return re.sub(r"(?:^a=candidate:[^\r\n]*\r\n)+", shuffled, sdp, flags=re.MULTILINE)
