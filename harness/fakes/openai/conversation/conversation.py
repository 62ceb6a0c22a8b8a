"""A whole conversation without I/O: client events and speech in, server events and playout commands out."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Mapping
from typing import Any, Literal, NoReturn

from harness.fakes.openai.conversation.behaviour import Behaviour, Speech
from harness.fakes.openai.conversation.client_events import ClientEvents
from harness.fakes.openai.conversation.input import InputBuffer
from harness.fakes.openai.conversation.items import Items
from harness.fakes.openai.conversation.line import Line
from harness.fakes.openai.conversation.making import Maker
from harness.fakes.openai.conversation.outputs import Close, Output
from harness.fakes.openai.conversation.playout import Playout
from harness.fakes.openai.conversation.refusals import RefusedError, invalid_json
from harness.fakes.openai.conversation.responder import Responder
from harness.fakes.openai.conversation.session import Session
from harness.fakes.openai.conversation.settings import ConversationSettings
from harness.fakes.openai.conversation.transcription import Said, Transcriber
from harness.fakes.openai.conversation.turns import Turns
from harness.fakes.openai.speaking.voices import Recorder, Voice

GOING_AWAY, TOO_LARGE = 1001, 1009  # RFC 6455, section 7.4.1
LONGEST_EVENT_ID = 512


class Conversation:
    """One call's conversation. It has no clock: every method is told `now`, seconds that never go back.

    Never raises on any input. After a `Close` nothing more comes out. Messages that come before `opened` are
    kept until then.
    """

    def __init__(
        self,
        *,
        session: Mapping[str, Any] | None,
        call_id: str,
        transport: Literal["webrtc", "websocket"],
        voice: Voice,
        created_at: int,
        settings: ConversationSettings | None = None,
        rng: random.Random | None = None,
        behaviour: Behaviour | None = None,
        call_name: str = "",
        recorder: Recorder | None = None,
    ) -> None:
        """`session`: what the call was made with. A bad one is dropped: an `error` follows session.created.

        `created_at`: Unix seconds, for `expires_at`. `call_name`: the offer's ufrag. `recorder` gives the
        caller's audio back, for an echo.
        """
        behaviour = behaviour or Behaviour()
        settings = behaviour.settings(settings or ConversationSettings())
        self.call_id = call_id
        self._line = line = Line(settings, rng or random.Random(call_id), behaviour)  # noqa: S311  (replayable)
        expires_at = created_at + round(settings.session_seconds)
        self._session = Session(session_of(call_id), settings, expires_at)
        self._refused = self._configure(session)
        items = Items()
        self._input = InputBuffer(line, items)
        self._playout = Playout(line) if transport == "webrtc" else None
        maker = Maker(line, self._session, items, voice.reply, line.ids.new("conv"))
        responder = Responder(line, self._session, items, maker, self._playout)
        self._transcriber = Transcriber(line, items)
        self._turns = Turns(
            line, self._session, self._input, self._transcriber, responder, call_name, recorder
        )
        self._events = ClientEvents(line, self._session, items, self._input, self._turns, responder)
        self._early: list[str | bytes] | None = []

    # --- what is in force ---

    @property
    def session(self) -> dict[str, Any]:
        """The whole effective session."""
        return copy.deepcopy(self._session.effective)

    @property
    def turn_detection(self) -> dict[str, Any] | None:
        """The turn detection in force, for the segmenter; None where the client makes the turns."""
        return copy.deepcopy(self._session.turn_detection)

    @property
    def utterance_is_finished(self) -> bool:
        """Whether what the caller says now ends a sentence: what semantic_vad would find out."""
        return self._transcriber.next_is_finished

    @property
    def closed(self) -> bool:
        return self._line.closed

    def expect(self, transcript: str, language: str = "", *, now: float | None = None) -> list[Output]:
        """Tell what the caller will say: for the transcript, and for the language of the reply.

        `now`: the caller has begun to say it.
        """
        self._transcriber.expect(Said(transcript, language))
        return [] if now is None or self._early is not None else self._at(now, self._turns.audio_came)

    # --- what happens ---

    def opened(self, now: float) -> list[Output]:
        """The data channel or the socket is open."""
        return self._at(now, self._open)

    def client_message(self, raw: str | bytes, now: float, *, aside: bool = False) -> list[Output]:
        """A message from the client, of whatever content; one `aside` is not kept until `opened`."""
        return self._at(now, lambda: self._receive(raw, aside=aside))

    def speech_started(self, audio_ms: int, now: float) -> list[Output]:
        """The segmenter says so; ms on the audio clock, the prefix padding included."""
        return self._at(now, lambda: self._hear(Speech(True, audio_ms)))

    def speech_stopped(self, audio_ms: int, now: float) -> list[Output]:
        """The segmenter says so; ms on the audio clock, the silence included."""
        return self._at(now, lambda: self._hear(Speech(False, audio_ms)))

    def audio_heard(self, total_ms: int, now: float) -> list[Output]:
        """So much audio has come in since the first."""
        return self._at(now, lambda: self._clock(total_ms))

    def playout_progress(self, played_ms: int, now: float) -> list[Output]:
        """So much of the reply in `Play` was sent."""
        return self._at(now, lambda: self._played(played_ms))

    def playout_finished(self, now: float) -> list[Output]:
        """All of the reply in `Play` was sent."""
        return self._at(now, lambda: self._playout.finished() if self._playout else None)

    def next_deadline(self) -> float | None:
        """When `tick` must be called next; None while nothing is pending."""
        return None if self._line.closed else self._line.agenda.next_deadline()

    def tick(self, now: float) -> list[Output]:
        """Let what is due happen."""
        return self._at(now, lambda: None)

    # --- how ---

    def _at(self, now: float, action: Callable[[], None]) -> list[Output]:
        line = self._line
        if not line.closed:
            line.run_until(now)
        if not line.closed:
            action()
        if not line.closed:
            self._turns.watch_idleness()
        return line.take()

    def _configure(self, session: Mapping[str, Any] | None) -> RefusedError | None:
        refused = None
        try:
            if session is not None:
                self._session.configure(session)
        except RefusedError as error:
            refused = error
        self._line.behaviour.session(self._session.effective)
        return refused

    def _open(self) -> None:
        if self._early is None:
            return
        early, self._early = self._early, None
        self._line.after(self._line.settings.session_seconds, self._expire)
        self._line.send("session.created", session=self.session)
        if self._refused is not None:
            self._line.refuse(self._refused)
        for raw in early:
            self._receive(raw)

    def _expire(self) -> None:
        minutes = round(self._line.settings.session_seconds / 60)
        message = f"Your session hit the maximum duration of {minutes} minutes."
        if self._line.behaviour.announces_expiry():
            self._line.refuse(RefusedError("session_expired", message))
        self._line.put(Close(message, GOING_AWAY))

    def _receive(self, raw: str | bytes, *, aside: bool = False) -> None:
        if self._early is not None and not aside:
            self._early.append(raw)
            return
        if self._line.behaviour.chokes_on(len(raw)):
            self._line.put(Close("the message was too large", TOO_LARGE))
            return
        event_id = None
        try:
            event = _parsed(raw, self._line.settings.longest_event)
            event_id = _own_id(event)
            self._events.handle(event)
        except RefusedError as refused:
            self._line.refuse(refused, event_id)

    def _hear(self, speech: Speech) -> None:
        for signal in self._line.behaviour.hearing(speech):
            self._turns.hear(signal)

    def _clock(self, total_ms: int) -> None:
        self._input.heard(total_ms)
        for signal in self._line.behaviour.heard(self._input.total_ms):
            self._turns.hear(signal)

    def _played(self, played_ms: int) -> None:
        if self._playout is None:
            return
        self._playout.progressed(played_ms)
        for signal in self._line.behaviour.played(played_ms, self._input.total_ms):
            self._turns.hear(signal)


def session_of(call_id: str) -> str:
    """The session's id: a caller who sees `session.created` can tell its call's id from it."""
    return f"sess_{call_id.removeprefix('rtc_')}"


def _parsed(raw: str | bytes, longest: int) -> dict[str, Any]:
    """A JSON object whose texts are all Unicode. Raises RefusedError."""
    if len(raw) > longest:
        raise RefusedError(
            "message_too_large", f"A message may hold {longest} bytes; this one has {len(raw)}."
        )
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        event = json.loads(text, parse_constant=_refuse_constant)
        if "\\u" in text:
            json.dumps(event, ensure_ascii=False).encode()  # half a surrogate pair is no text
        else:
            text.encode()
    except (ValueError, RecursionError) as error:
        raise invalid_json(str(error)) from error
    if not isinstance(event, dict):
        raise invalid_json("it is another JSON value")
    return event


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON (RFC 8259, section 6)")


def _own_id(event: Mapping[str, Any]) -> str | None:
    """The client's id for the event. Raises RefusedError where it is too long to be given back."""
    event_id = event.get("event_id")
    if not isinstance(event_id, str):
        return None
    if len(event_id) > LONGEST_EVENT_ID:
        raise RefusedError(
            "string_above_max_length",
            f"Invalid 'event_id': expected at most {LONGEST_EVENT_ID} characters.",
            param="event_id",
        )
    return event_id
