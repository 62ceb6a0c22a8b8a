"""The making of a response in time: after the reply delay, pieces come faster than they will be heard."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from harness.fakes.openai.conversation.agenda import Appointment
from harness.fakes.openai.conversation.line import Line
from harness.fakes.openai.conversation.output_items import OutputItem
from harness.fakes.openai.conversation.outputs import Carrying
from harness.fakes.openai.conversation.response import Response
from harness.fakes.openai.speaking.wire_audio import BYTES_PER_MS

TEXT_LETTERS_PER_SECOND = 300


@dataclass(frozen=True)
class GenerationStep:
    """Something that is said, carried or begun, `at` seconds after the generation began."""

    at: float
    do: Callable[[], None]


def later(seconds: float, steps: Iterable[GenerationStep]) -> list[GenerationStep]:
    """The same steps, so much later."""
    return [replace(step, at=step.at + seconds) for step in steps]


class Generation:
    """Carries out the steps of a response, the last of which ends it; can be stopped at any time."""

    def __init__(self, response: Response, steps: Sequence[GenerationStep]) -> None:
        self._response = response
        self._line = response.line
        self._steps = sorted(steps, key=lambda step: step.at)
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
        for output in self._response.outputs:
            if output.form == "audio" and output.opened:
                # What was sent exists, however early it went out.
                output.generated_ms = min(max(made, output.generated_ms), output.reply.duration_ms)


def seconds_of(output: OutputItem, line: Line) -> float:
    """How long an item takes to make: its audio, or its text or arguments."""
    if output.form == "audio":
        return output.reply.duration_ms / 1000 / line.settings.generation_speed
    return len(output.reply.transcript) / TEXT_LETTERS_PER_SECOND


def audio_steps(
    output: OutputItem,
    line: Line,
    *,
    begin_playing: Callable[[], None] | None = None,
    output_format: str | None = None,
) -> list[GenerationStep]:
    """Transcript deltas, spread over the generation, and the audio.

    Over WebRTC it begins to play after the first of them; over a WebSocket audio deltas in `output_format`
    stand between them.
    """
    seconds = seconds_of(output, line)
    words = text_steps(output, line)
    audio = [GenerationStep(0.0, begin_playing)] if begin_playing else []
    if output_format is not None:
        audio += _audio_deltas(output, line, seconds, output_format)
    return sorted([*words[:1], *audio, *words[1:]], key=lambda step: step.at)


def text_steps(output: OutputItem, line: Line) -> list[GenerationStep]:
    """A transcript, a text, or the arguments of a function call, in pieces."""
    deltas, seconds = line.variation.deltas(output.reply.transcript), seconds_of(output, line)
    return [
        GenerationStep(seconds * i / len(deltas), partial(output.say, delta))
        for i, delta in enumerate(deltas)
    ]


def _audio_deltas(
    output: OutputItem, line: Line, seconds: float, output_format: str
) -> Iterator[GenerationStep]:
    audio = output.reply.wire(output_format)
    yield GenerationStep(0.0, partial(line.put, Carrying(output.reply)))
    size = line.variation.audio_delta_ms() * BYTES_PER_MS[output_format]
    for start in range(0, len(audio), size):
        piece = audio[start : start + size]
        end_ms = (start + len(piece)) // BYTES_PER_MS[output_format]
        carry = partial(output.carry, base64.b64encode(piece).decode(), end_ms)
        yield GenerationStep(seconds * start / len(audio), carry)
