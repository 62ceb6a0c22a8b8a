"""A WebSocket as a caller's end: audio in events at the pace of a microphone, played as a page plays it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from websockets.asyncio.connection import broadcast
from websockets.exceptions import ConnectionClosed

from harness.call.ends import EndParts, OpenEnd
from harness.config.run import RunSettings
from harness.core.audio import Samples
from harness.core.audio_format import RATE as CLIP_RATE
from harness.core.bounds import EventAllowance
from harness.core.caller_end import ChannelClosedError, Exchange, NotConnectedError, Spoken, WhatIsHeard, Wire
from harness.core.events import (
    ClientEvent,
    EventInvalid,
    HarnessFailed,
    MessageOdd,
    OtherCodecHeard,
    PacingMeasured,
    PlayoutCleared,
    SendingStarted,
    ServerEvent,
    SocketClosed,
    SocketMeasured,
    StateChanged,
)
from harness.core.fields import field as at_path
from harness.core.fields import number, text
from harness.core.probes import CALL_HEADER, UPGRADE
from harness.peer.pacer import Pacer
from harness.speech.pcm import resample
from harness.websocket.hearing import SSRC, PlayedAudio
from harness.websocket.messages import MessageReader, SocketMessage
from harness.websocket.microphone import PcmMicrophone, SpokenSamples
from harness.websocket.opening import CLOSE_SECONDS, Opening, RelayConnection
from harness.websocket.player import RATE, Player

FRAMES_A_MESSAGE = 2  # 40 ms: what a page's audio worklet gathers before it sends
PING_EVERY = 100  # frames: 2 s, the first after one
NO_SDP = "a WebSocket has no SDP"


@asynccontextmanager
async def sockets(settings: RunSettings) -> AsyncIterator[OpenEnd]:
    """Opens a connection for each call; they share nothing."""
    del settings
    yield WebSocketEnd


@dataclass
class _Counts:
    sent: int = 0
    received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    largest_received: int = 0
    most_waiting: int = 0
    odd: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)


class WebSocketEnd:
    """A `CallerEnd` on a WebSocket."""

    def __init__(self, parts: EndParts) -> None:
        self._parts = parts
        self._record, self._clock = parts.record, parts.clock
        self.ufrag = parts.ufrag or secrets.token_hex(4)
        self.offer = self.shape = ""
        self._played = PlayedAudio(self._record, resample, light=parts.light)
        self._player = Player()
        self._reader = MessageReader()
        self._counts = _Counts()
        self._allowance = EventAllowance()
        self._connection: RelayConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._stop_ticking: Callable[[], None] | None = None
        self._microphone = PcmMicrophone(comfort_noise=parts.settings.comfort_noise, seed=parts.settings.seed)
        self._gathered: list[Samples] = []
        self._frames = 0
        self._appends = 0
        self._stopped = False
        self._state: Literal["connecting", "open", "closing", "closed"] = "connecting"
        self._goes_on = False
        self._interrupts = True
        self._pings: list[tuple[float, asyncio.Future[float]]] = []
        self._vanished = False

    @property
    def channel_state(self) -> str:
        return self._state

    @property
    def heard(self) -> WhatIsHeard:
        return self._played

    # --- the call ---

    async def connect(self, exchange: Exchange) -> None:
        """Open the WebSocket; from then on audio flows both ways."""
        del exchange
        target = self._parts.target
        self._changed("connecting")
        opening = Opening(
            self._record, self._clock, self._parts.settings.redactor(), self._parts.settings.timeouts
        )
        headers = [*target.request_headers(), (CALL_HEADER, self.ufrag)]
        connection = await opening.open(target.url, headers, target.revealed_subprotocols(), purpose=UPGRADE)
        if connection is None:
            self._changed("closed")
            raise NotConnectedError("the WebSocket did not open")
        self._connection = connection
        self._changed("open")
        self._reading = asyncio.get_running_loop().create_task(
            self._read(connection), name=f"ws-{self.ufrag}"
        )
        self._stop_ticking = Pacer.shared().add(self._tick, lambda error: self._failed("pacing", error))

    async def close(self) -> None:
        """The closing handshake, as a page's `close()`; idempotent."""
        if self._stop_ticking is not None:
            self._stop_ticking()
            self._stop_ticking = None
        self._microphone.fall_silent()
        if self._connection is not None and self._reading is not None:
            if self._state == "open":
                self._changed("closing")
            # Where the other end takes nothing more, the Close frame waits behind what is still to be sent,
            # and websockets' own time-out begins only when it is out.
            with contextlib.suppress(ConnectionClosed, OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS + 1):
                    await self._connection.close()
            self._connection.transport.abort()
            await asyncio.wait({self._reading})
            self._reading = None
            self._measure(self._connection)
        self._played.flush()

    async def vanish(self) -> None:
        """No Close frame: the connection is cut."""
        self._vanished = True
        if self._connection is not None:
            self._connection.transport.abort()
        await self.close()

    # --- what is said ---

    async def say(
        self, clip: Spoken, on_started: Callable[[], None], on_ended: Callable[[bool], None]
    ) -> None:
        """Queue it, and wait until it is sent."""
        samples = await asyncio.to_thread(lambda: resample(clip.samples, CLIP_RATE, RATE))
        done = asyncio.Event()
        self._microphone.say(SpokenSamples(samples, on_started, on_ended, done.set))
        await done.wait()

    def send(self, event: dict[str, Any]) -> None:
        """A text message with one event."""
        self._send_text(json.dumps(event))
        self._record(ClientEvent(at=self._clock.now(), event=event))

    @property
    def muted(self) -> bool:
        return self._microphone.muted

    def mute(self, *, muted: bool) -> None:
        self._microphone.muted = muted

    def send_nothing(self, *, stopped: bool) -> None:
        self._stopped = stopped

    # --- what a WebSocket has not (`core.callers` says so before anybody asks) ---

    async def create_offer(self) -> str:
        raise NotConnectedError(NO_SDP)

    def accept_answer(self, answer: str) -> None:
        del answer
        raise NotConnectedError(NO_SDP)

    def put_behind(self, wire: Wire) -> None:
        del wire
        raise NotConnectedError("a WebSocket has no datagrams")

    async def rebind(self) -> bool:
        return False

    # --- each 20 ms ---

    def _tick(self, _deadline: float) -> None:
        if self._state != "open" or self._connection is None:
            return
        self._frames += 1
        self._hear()
        spoken = self._microphone.next_frame()
        if not self._stopped:
            if not self._appends and not self._gathered:
                self._record(SendingStarted(at=self._clock.now(), ssrc=SSRC))
            self._gathered.append(spoken)
        if len(self._gathered) >= FRAMES_A_MESSAGE:
            self._append()
        if self._frames % PING_EVERY == PING_EVERY // 2:
            self._ping(self._connection)
        self._counts.most_waiting = max(self._counts.most_waiting, self._connection.waiting)

    def _hear(self) -> None:
        frame = self._player.next_frame()
        if frame is not None:
            self._played.frame(self._clock.now(), frame, goes_on=self._goes_on)
            self._goes_on = self._player.is_playing

    def _append(self) -> None:
        audio = np.concatenate(self._gathered).astype("<i2").tobytes()
        self._gathered.clear()
        self._appends += 1
        with contextlib.suppress(ChannelClosedError):  # whoever listens to states is told
            self._send_text(
                f'{{"type":"input_audio_buffer.append","event_id":"evt_{self.ufrag}_a{self._appends}",'
                f'"audio":"{base64.b64encode(audio).decode()}"}}'
            )

    def _ping(self, connection: RelayConnection) -> None:
        """Shows whether the relay answers pings (RFC 6455, section 5.5.2), and how far behind us it reads."""
        asking = asyncio.get_running_loop().create_task(self._asked_for_pong(connection))
        asking.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _asked_for_pong(self, connection: RelayConnection) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            waiter = await connection.ping()
            assert isinstance(waiter, asyncio.Future)  # noqa: S101  (as websockets has it)
            self._pings.append((self._clock.now(), waiter))
            waiter.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _send_text(self, text: str) -> None:
        if self._connection is None or self._state != "open":
            raise ChannelClosedError(f"the WebSocket is {self._state}")
        broadcast([self._connection], text)  # never waits: what a page's send() does
        self._counts.sent += 1
        self._counts.bytes_sent += len(text)
        self._counts.most_waiting = max(self._counts.most_waiting, self._connection.waiting)

    # --- what comes ---

    async def _read(self, connection: RelayConnection) -> None:
        try:
            async for message in connection:
                for each in self._reader.read(message):
                    self._received(each)
        except ConnectionClosed:
            pass
        except Exception as error:  # this call's, and no other's
            self._failed("reading", error)
        for each in self._reader.end():
            self._received(each)
        self._closed(connection)

    def _received(self, message: SocketMessage) -> None:
        now = self._clock.now()
        self._counts.received += 1
        self._counts.bytes_received += message.size
        self._counts.largest_received = max(self._counts.largest_received, message.size)
        if message.problem is not None and message.problem not in self._counts.odd:
            self._counts.odd.add(message.problem)
            start = message.text[:120] or json.dumps(message.event)[:120]
            self._record(MessageOdd(at=now, problem=message.problem, size=message.size, start=start))
        light = None if message.event is None else _light(message.event)
        # Audio is a count and no text by now; what it was is not what is kept.
        if self._allowance.takes(message.size if light is message.event else 0):
            raw = message.text[:2000] if light is None else ""
            self._record(ServerEvent(at=now, event=light, raw=raw, size=message.size))
        elif self._allowance.refused == 1:
            self._record(EventInvalid(at=now, type="", problem=self._allowance.problem))
        if message.event is not None:
            self._play(message.event)

    def _play(self, event: dict[str, Any]) -> None:
        kind, item, response = text(event, "type"), text(event, "item_id"), text(event, "response_id")
        if kind == "response.output_audio.delta":
            index = int(number(event, "content_index") or 0)
            self._player.take(response, item, index, text(event, "delta"))
        elif kind == "response.output_audio.done":
            self._player.is_whole(item)
        elif kind == "response.done":
            self._player.are_whole(text(event, "response", "id"))
        elif kind == "input_audio_buffer.speech_started" and self._interrupts:
            self._stop_playing()
        elif kind in ("session.created", "session.updated"):
            self._configured(event)

    def _stop_playing(self) -> None:
        self._goes_on = False
        for cut in self._player.clear():
            if not cut.played_ms:
                continue
            self._record(
                PlayoutCleared(
                    at=self._clock.now(),
                    response_id=cut.response_id,
                    item_id=cut.item_id,
                    played_ms=cut.played_ms,
                )
            )
            with contextlib.suppress(ChannelClosedError):
                self.send(
                    {
                        "type": "conversation.item.truncate",
                        "event_id": f"evt_{self.ufrag}_t{self._frames}",
                        "item_id": cut.item_id,
                        "content_index": cut.content_index,
                        "audio_end_ms": cut.played_ms,
                    }
                )

    def _configured(self, event: dict[str, Any]) -> None:
        detection = at_path(event, "session", "audio", "input", "turn_detection")
        self._interrupts = not isinstance(detection, dict) or detection.get("interrupt_response") is not False
        spoken = at_path(event, "session", "audio", "output", "format", "type")
        if isinstance(spoken, str) and spoken != "audio/pcm" and spoken not in self._counts.odd:
            self._counts.odd.add(spoken)
            self._record(OtherCodecHeard(at=self._clock.now(), payload_type=0, codec=spoken[:40]))

    # --- the end ---

    def _closed(self, connection: RelayConnection) -> None:
        protocol = connection.protocol
        theirs, ours = protocol.close_rcvd, protocol.close_sent
        by: Literal["caller", "relay", "nobody"]
        if self._vanished:
            by, code, reason = "caller", 1006, "gone without a goodbye"
        elif theirs is not None and protocol.close_rcvd_then_sent:
            by, code, reason = "relay", int(theirs.code), theirs.reason
        elif ours is not None and self._state == "closing":
            by, code, reason = "caller", int(ours.code), ours.reason
        else:
            by, code, reason = "nobody", 1006, ""
        # With these we refuse what came; where they are the relay's own, ours only repeats them.
        refused = ours is not None and theirs is None and ours.code in (1002, 1007, 1009)
        problem = ours.reason if ours is not None and refused else ""
        self._record(
            SocketClosed(at=self._clock.now(), code=code, reason=reason[:200], by=by, problem=problem[:200])
        )
        self._changed("closed", f"{code} {reason}".strip()[:200])

    def _measure(self, connection: RelayConnection) -> None:
        counts, now = self._counts, self._clock.now()
        pongs = [p.result() if _is_answered(p) else now - sent for sent, p in self._pings]
        self._record(
            SocketMeasured(
                at=now,
                sent=counts.sent,
                received=counts.received,
                bytes_sent=counts.bytes_sent,
                bytes_received=counts.bytes_received,
                largest_received=counts.largest_received,
                most_waiting=counts.most_waiting,
                pings=connection.pings,
                pings_sent=len(pongs),
                pongs=sum(_is_answered(pong) for _, pong in self._pings),
                pong_ms=round(1000 * max(pongs), 3) if pongs else None,
            )
        )
        if self._frames:
            pacer = Pacer.shared()
            p50, p99, worst = (round(pacer.lateness_ms(q, self._frames), 3) for q in (50, 99, 100))
            self._record(
                PacingMeasured(at=self._clock.now(), packets=self._frames, p50=p50, p99=p99, max=worst)
            )

    def _changed(self, state: Literal["connecting", "open", "closing", "closed"], detail: str = "") -> None:
        self._state = state
        self._record(StateChanged(at=self._clock.now(), layer="channel", state=state, detail=detail))

    def _failed(self, where: str, error: Exception) -> None:
        if where not in self._counts.failed:
            self._counts.failed.add(where)
            self._record(HarnessFailed(at=self._clock.now(), error=repr(error), where=where))


def _is_answered(pong: asyncio.Future[float]) -> bool:
    return pong.done() and not pong.cancelled() and pong.exception() is None


def _light(event: dict[str, Any]) -> dict[str, Any]:
    """The event with its audio replaced by its length: a record is no recording."""
    delta = event.get("delta")
    if event.get("type") != "response.output_audio.delta" or not isinstance(delta, str):
        return event
    return {**event, "delta": f"({len(delta)} characters of base64)"}
