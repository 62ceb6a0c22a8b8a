"""Runs one sans-I/O conversation in real time: feeds it what happens, carries out what it asks for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol, assert_never

import numpy as np

from harness.core.audio import Samples
from harness.core.audio_format import FRAME_MS, RATE
from harness.core.clock import Clock
from harness.core.events import AudioSent
from harness.fakes.openai.conversation import (
    AppendInput,
    Carrying,
    ClearInput,
    Close,
    Conversation,
    Output,
    Play,
    Send,
    SendRaw,
    StopPlaying,
)
from harness.fakes.openai.hearing.detectors import Engine
from harness.fakes.openai.hearing.vad import Segmenter, SpeechStarted, TurnSettings
from harness.fakes.openai.record import UpstreamRecord
from harness.fakes.openai.speaking import wire_audio
from harness.fakes.openai.speaking.replies import SpokenReply
from harness.fakes.openai.speaking.voices import HeardSpeech, Recorder
from harness.speech.clip import Clip

NORMAL = 1000  # RFC 6455, section 7.4.1

SendText = Callable[[str], None]


class Translation(Protocol):
    """Another dialect of events in front of the conversation. `muted`: the caller's audio is not heard."""

    muted: bool

    def to_client(self, event: dict[str, Any], audio_ms: int) -> list[dict[str, Any]]:
        """What the client gets for a server event."""
        ...

    def from_client(
        self, message: str | bytes, audio_ms: int
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]], bool]:
        """Client events for the conversation, replies to the client, and whether the session is over."""
        ...


class Driver:
    """One conversation and its timer. `attach` says where its outputs go; `stop` ends it."""

    def __init__(
        self,
        conversation: Conversation,
        engine: Engine,
        record: UpstreamRecord,
        clock: Clock,
        translation: Translation | None = None,
    ) -> None:
        self.conversation = conversation
        self._translation = translation
        self.is_open = False
        self._sideband: dict[SendText, Callable[[str], None]] = {}
        self._engine = engine
        self._segmenter = Segmenter(engine, rate=RATE)
        self._segmenter_rate = RATE
        self._segmenter_began_ms = 0
        self._record = record
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: float | None = None
        self._stopped = False
        self._send: SendText = lambda _text: None
        self._play: Callable[[str, SpokenReply], None] = lambda _response_id, _reply: None
        self._stop_playing: Callable[[], None] = lambda: None
        self._close: Callable[[str, int], None] = lambda _reason, _code: None
        self.recall: Recorder = lambda _start, _end: HeardSpeech(lambda: np.zeros(0, np.int16))
        self._turn_settings: TurnSettings | None = TurnSettings()
        self._semantic = False
        self._said: Clip | None = None
        self.overhear: Callable[[Samples, int], bool] | None = None  # until it wants no more
        self._appends = 0
        self._configure()

    def attach(
        self,
        *,
        send: SendText,
        close: Callable[[str, int], None],
        play: Callable[[str, SpokenReply], None] | None = None,
        stop: Callable[[], None] | None = None,
    ) -> None:
        """Where events go, who plays, and what to do at the end (reason, WebSocket code)."""
        self._send, self._close = send, close
        self._play = play or self._play
        self._stop_playing = stop or self._stop_playing

    def stop(self) -> None:
        """Nothing more happens."""
        if self._stopped:
            return
        self._stopped = True
        self.is_open = False
        self._segmenter.close()
        for close in tuple(self._sideband.values()):
            close("the call is over")
        self._sideband.clear()
        if self._timer is not None:
            self._timer.cancel()

    def join(self, send: SendText, close: Callable[[str], None]) -> None:
        """A sideband connection: it gets every server event from now on, and is greeted by none."""
        self._sideband[send] = close

    def leave(self, send: SendText) -> None:
        """The sideband connection is gone."""
        self._sideband.pop(send, None)

    # --- what happens ---

    def opened(self) -> None:
        """The channel or socket is open."""
        self.is_open = True
        self._perform(self.conversation.opened(self._clock.now()))

    def receive(self, message: str | bytes, *, aside: bool = False) -> None:
        """A message from the client, or `aside`, from a sideband."""
        self._note(message)
        if self._translation is None or aside:
            self._take(message, aside=aside)
            return
        events, replies, over = self._translation.from_client(message, self.audio_ms)
        for reply in replies:
            self._transmit(reply)
        for event in events:
            self._take(json.dumps(event))
        if over:
            self._close("close-requested", NORMAL)

    def _take(self, message: str | bytes, *, aside: bool = False) -> None:
        self._perform(self.conversation.client_message(message, self._clock.now(), aside=aside))
        self._configure()

    def recognise(self, clip: Clip) -> None:
        """The caller has begun to say this."""
        if clip is not self._said:
            self._said = clip
            self._perform(self.conversation.expect(clip.transcript, clip.language, now=self._clock.now()))

    def hear(self, samples: Samples, rate: int = RATE) -> None:
        """The next samples of the caller's audio."""
        if self._stopped:
            return
        if self._translation is not None and self._translation.muted:
            samples = np.zeros_like(samples)
        if self.overhear is not None and not self.overhear(samples, rate):
            self.overhear = None
        if rate != self._segmenter_rate:
            self._listen_at(rate)
        if self._semantic:
            self._configure()  # whether the caller has finished can change at any time
        now = self._clock.now()
        signals = self._segmenter.push(samples)
        self._perform(self.conversation.audio_heard(self.audio_ms, now))
        for signal in signals:
            audio_ms = signal.audio_ms + self._segmenter_began_ms
            if isinstance(signal, SpeechStarted):
                self._perform(self.conversation.speech_started(audio_ms, now))
            else:
                self._said = None
                self._perform(self.conversation.speech_stopped(audio_ms, now))

    @property
    def audio_ms(self) -> int:
        """The audio clock: ms of the caller's audio so far."""
        return self._segmenter_began_ms + self._segmenter.heard_ms

    def _listen_at(self, rate: int) -> None:
        self._segmenter_began_ms = self.audio_ms
        self._segmenter.close()
        self._segmenter, self._segmenter_rate = Segmenter(self._engine, rate=rate), rate
        self._segmenter.configure(self._turn_settings)

    def played(self, played_ms: int) -> None:
        """So much of the reply was sent."""
        self._perform(self.conversation.playout_progress(played_ms, self._clock.now()))

    def played_out(self) -> None:
        """All of the reply was sent."""
        self._perform(self.conversation.playout_finished(self._clock.now()))

    # --- what it asks for ---

    def _perform(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if self._stopped:
                return
            self._perform_one(output)
        self._schedule()

    def _perform_one(self, output: Output) -> None:
        match output:
            case Send(event):
                shown = [event]
                if self._translation is not None:
                    shown = self._translation.to_client(event, self.audio_ms)
                for translated in shown:
                    self._transmit(translated)
            case SendRaw(text):
                self._send_text(text, None)
            case Play(response_id, _, reply):
                self._play(response_id, reply)
            case Carrying(reply):
                now = self._record.clock.now()
                self._record.add(
                    AudioSent(at=now, side="upstream", clip=reply.name, duration_ms=reply.duration_ms)
                )
            case StopPlaying():
                self._stop_playing()
            case AppendInput(audio, format_type):
                self._append(audio, format_type)
            case ClearInput():
                self._segmenter.clear()
            case Close(reason, code):
                self._close(reason, code)
            case _:
                assert_never(output)

    def _append(self, audio: bytes, format_type: str) -> None:
        samples, rate = wire_audio.decode(audio, format_type), wire_audio.RATES[format_type]
        step = rate * FRAME_MS // 1000
        for start in range(0, len(samples), step):
            self.hear(samples[start : start + step], rate)

    def _transmit(self, event: dict[str, Any]) -> None:
        self._send_text(as_json(event), event)

    def _send_text(self, text: str, event: dict[str, Any] | None) -> None:
        self._record.server_event(_light(event) if event else event, text, len(text.encode()))
        self._send(text)
        for send in tuple(self._sideband):
            send(text)

    def _configure(self) -> None:
        """The segmenter follows the session in force, and semantic_vad what is being said."""
        detection = self.conversation.turn_detection
        self._semantic = detection is not None and detection["type"] == "semantic_vad"
        finished = self.conversation.utterance_is_finished
        settings = TurnSettings.of(detection, finished=finished) if detection else None
        if settings != self._turn_settings:
            self._turn_settings = settings
            self._segmenter.configure(settings)

    def _note(self, message: str | bytes) -> None:
        try:
            event = json.loads(message)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            text = message if isinstance(message, str) else message.decode("utf-8", "backslashreplace")
            event = {"raw": text[:2000]}
        if event.get("type") == APPEND:
            self._appends += 1
            if self._appends > 1:
                return  # 25 a second, and all alike
        self._record.client_event(_light(event))

    def _schedule(self) -> None:
        deadline = self.conversation.next_deadline()
        if deadline == self._deadline and self._timer is not None:
            return  # as after most packets
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._deadline = deadline
        if deadline is not None and not self._stopped:
            delay = max(0.0, deadline - self._clock.now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._perform(self.conversation.tick(self._clock.now()))


def as_json(event: dict[str, Any]) -> str:
    """An event on the wire."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


APPEND = "input_audio_buffer.append"
AUDIO_FIELDS = {APPEND: "audio", "response.output_audio.delta": "delta"}


def _light(event: dict[str, Any]) -> dict[str, Any]:
    """The event with its audio replaced by its length: a record is no recording."""
    kind = event.get("type")
    field = AUDIO_FIELDS.get(kind) if isinstance(kind, str) else None
    if field is None or not isinstance(event.get(field), str):
        return event
    return {**event, field: f"({len(event[field])} characters of base64)"}
