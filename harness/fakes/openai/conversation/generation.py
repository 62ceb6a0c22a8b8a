"""The making of a response in time: after the reply delay, pieces come faster than they will be heard."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.fakes.openai.conversation.agenda import Appointment
from harness.fakes.openai.conversation.response import Response
from harness.fakes.openai.wire_audio import BYTES_PER_MS

TEXT_LETTERS_PER_SECOND = 300


@dataclass(frozen=True)
class Step:
    """Something that is said, carried or begun, `at` seconds after the generation began."""

    at: float
    do: Callable[[], None]


class Generation:
    """Carries out the steps of a response, then calls `completed`; can be stopped at any time."""

    def __init__(
        self, response: Response, steps: Sequence[Step], seconds: float, completed: Callable[[], None]
    ) -> None:
        self._response = response
        self._line = response.line
        self._steps = [*steps, Step(seconds, completed)]
        self._begun_at = self._line.now
        self._appointment: Appointment | None = None

    def start(self) -> None:
        """Take the first steps; the others follow by the agenda."""
        self._go_on()

    def stop(self) -> None:
        """No further step is taken."""
        self._note_progress()
        self._steps.clear()
        if self._appointment is not None:
            self._appointment.cancel()

    def _go_on(self) -> None:
        while self._steps and self._begun_at + self._steps[0].at <= self._line.now:
            self._note_progress()
            self._steps.pop(0).do()
        if self._steps:
            wait = self._begun_at + self._steps[0].at - self._line.now
            self._appointment = self._line.after(wait, self._go_on)

    def _note_progress(self) -> None:
        """How much audio exists: it is made at an even speed, `generation_speed` times faster than heard."""
        made = round((self._line.now - self._begun_at) * 1000 * self._line.settings.generation_speed)
        made = max(made, self._response.generated_ms)  # what was sent exists, however early it went out
        self._response.generated_ms = min(made, self._response.reply.duration_ms)


def audio_seconds(response: Response) -> float:
    """How long the audio of the response takes to make."""
    return response.reply.duration_ms / 1000 / response.line.settings.generation_speed


def audio_steps(
    response: Response,
    *,
    begin_playing: Callable[[], None] | None = None,
    output_format: str | None = None,
) -> list[Step]:
    """Transcript deltas, spread over the generation, and the audio.

    Over WebRTC it begins to play after the first of them; over a WebSocket audio deltas in `output_format`
    stand between them.
    """
    seconds = audio_seconds(response)
    words = _spread(response, response.reply.transcript, seconds)
    audio = [Step(0.0, begin_playing)] if begin_playing else []
    if output_format is not None:
        audio += _audio_deltas(response, seconds, output_format)
    return sorted([*words[:1], *audio, *words[1:]], key=lambda step: step.at)


def text_seconds(text: str) -> float:
    """How long a text takes to make."""
    return len(text) / TEXT_LETTERS_PER_SECOND


def text_steps(response: Response, text: str) -> list[Step]:
    """A text, or the arguments of a function call."""
    return _spread(response, text, text_seconds(text))


def _spread(response: Response, text: str, seconds: float) -> list[Step]:
    deltas = response.line.variation.deltas(text)
    return [Step(seconds * i / len(deltas), _say(response, delta)) for i, delta in enumerate(deltas)]


def _audio_deltas(response: Response, seconds: float, output_format: str) -> Iterator[Step]:
    audio = response.reply.wire(output_format)
    size = response.line.variation.audio_delta_ms() * BYTES_PER_MS[output_format]
    for start in range(0, len(audio), size):
        piece = audio[start : start + size]
        end_ms = (start + len(piece)) // BYTES_PER_MS[output_format]
        carry = _carry(response, base64.b64encode(piece).decode(), end_ms)
        yield Step(seconds * start / len(audio), carry)


def _say(response: Response, delta: str) -> Callable[[], None]:
    return lambda: response.say(delta)


def _carry(response: Response, audio: str, end_ms: int) -> Callable[[], None]:
    return lambda: response.carry(audio, end_ms)
