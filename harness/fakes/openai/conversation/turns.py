"""Turns: the caller speaks, is interrupted or answered, or keeps silent for too long."""

from __future__ import annotations

from harness.fakes.openai.conversation.agenda import Appointment
from harness.fakes.openai.conversation.behaviour import Speech
from harness.fakes.openai.conversation.input import HeardUtterance, InputBuffer
from harness.fakes.openai.conversation.line import Line
from harness.fakes.openai.conversation.refusals import RefusedError
from harness.fakes.openai.conversation.responder import Responder
from harness.fakes.openai.conversation.session import Session
from harness.fakes.openai.conversation.transcription import Said, Transcriber
from harness.fakes.openai.speaking.voices import Prompt, Recorder


class Turns:
    """Follows the session's turn detection; without one the client makes the turns."""

    def __init__(
        self,
        line: Line,
        session: Session,
        buffer: InputBuffer,
        transcriber: Transcriber,
        responder: Responder,
        call_name: str,
        recorder: Recorder | None,
    ) -> None:
        self._line, self._session, self._input = line, session, buffer
        self._transcriber, self._responder = transcriber, responder
        self._call_name, self._recorder = call_name, recorder
        self._spoken = 0
        self._last: tuple[HeardUtterance, Said] | None = None
        self._idle: Appointment | None = None
        self._silent_since_ms = 0

    def hear(self, speech: Speech) -> None:
        """The detector's word; of no account without turn detection, or when it says nothing new."""
        detection = self._session.turn_detection
        if detection is None or speech.started == self._input.speaking:
            return
        if speech.started:
            self._stream(self._input.speech_started(speech.audio_ms))
            if detection.get("interrupt_response") and self._line.behaviour.interruptible():
                self._responder.interrupt()
            elif self._line.settings.always_clears:
                self._responder.cut_off()
        else:
            self._committed(self._input.speech_stopped(speech.audio_ms), self._transcriber.understand())
            if detection.get("create_response"):
                self._answer()

    def commit(self) -> None:
        """The client ends the turn; it asks for the response itself. Raises RefusedError."""
        self._committed(self._input.commit(), self._transcriber.understand())

    def audio_came(self) -> None:
        """The caller is heard; without turn detection that is all that is known of an utterance."""
        if self._session.turn_detection is None:
            self._stream(self._input.reserve())

    def _stream(self, item_id: str) -> None:
        wanted = self._session.transcription
        self._transcriber.stream(item_id, wanted, lambda: self._input.reserves(item_id))

    def prompt(self) -> Prompt:
        """What the next response answers."""
        utterance, said = self._last if self._last else (None, Said(""))
        return Prompt(
            call_name=self._call_name,
            ordinal=self._spoken,
            language=said.language,
            transcript=said.transcript,
            utterance=(utterance.start_ms, utterance.end_ms) if utterance else None,
            recorder=self._recorder,
        )

    def answered(self) -> None:
        """A response was asked for and made."""
        self._spoken += 1

    def watch_idleness(self) -> None:
        """Start or stop waiting for the idle timeout, as things now stand."""
        detection = self._session.turn_detection or {}
        timeout_ms = detection.get("idle_timeout_ms")
        since = self._responder.quiet_since
        if timeout_ms is None or since is None or self._input.speaking:
            if self._idle is not None:
                self._idle.cancel()
                self._idle = None
        elif self._idle is None:
            self._silent_since_ms = self._input.total_ms
            wait = max(since - self._line.now, 0.0) + timeout_ms / 1000
            self._idle = self._line.after(wait, self._time_out)

    def _time_out(self) -> None:
        self._idle = None
        self._committed(self._input.time_out(self._silent_since_ms), Said(""))
        self._answer()

    def _committed(self, utterance: HeardUtterance, said: Said) -> None:
        self._last = (utterance, said)
        self._transcriber.transcribe(utterance, said, self._session.transcription)

    def _answer(self) -> None:
        """Without interrupt_response the model may be responding still: then no response is made (SDK)."""
        try:
            self._responder.create({}, self.prompt())
        except RefusedError as refused:
            self._line.refuse(refused)
        else:
            self.answered()
