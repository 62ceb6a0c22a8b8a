"""Responses: when one may begin, how it goes on, and how it is cut off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.fakes.openai.conversation.behaviour import Ending
from harness.fakes.openai.conversation.generation import (
    Generation,
    GenerationStep,
    audio_steps,
    later,
    seconds_of,
    text_steps,
)
from harness.fakes.openai.conversation.items import Item, Items
from harness.fakes.openai.conversation.line import Line
from harness.fakes.openai.conversation.making import Maker
from harness.fakes.openai.conversation.output_items import OutputItem
from harness.fakes.openai.conversation.playout import Playing, Playout
from harness.fakes.openai.conversation.rate_limits import RateLimits
from harness.fakes.openai.conversation.refusals import RefusedError
from harness.fakes.openai.conversation.response import Response
from harness.fakes.openai.conversation.session import Session
from harness.fakes.openai.speaking.voices import Prompt

LATER_ITEM_AT = 0.4  # of the first item's making


@dataclass
class _Work:
    """A response in progress, and how to stop it."""

    response: Response
    stop: Callable[[], None]


class Responder:
    """At most one response in the conversation at a time; any number out of band."""

    def __init__(
        self, line: Line, session: Session, items: Items, maker: Maker, playout: Playout | None
    ) -> None:
        """`playout` None: a WebSocket, whose client plays."""
        self._line, self._session, self._items, self._maker = line, session, items, maker
        self._playout = playout
        self._limits = RateLimits(line)
        self._works: dict[str, _Work] = {}
        self._active: str | None = None
        self._heard_until: float | None = None

    @property
    def quiet_since(self) -> float | None:
        """When the last response was over and heard; None while one is not, or before the first."""
        if self._works or (self._playout is not None and not self._playout.idle):
            return None
        return self._heard_until

    def create(
        self, parameters: Mapping[str, Any], prompt: Prompt, given: Sequence[Item] | None = None
    ) -> None:
        """Answer. `given` are the items of `response.input`. Raises RefusedError where one is in progress."""
        in_conversation = parameters.get("conversation") != "none"
        if in_conversation and self._active:
            raise RefusedError(
                "conversation_already_has_active_response",
                f"Conversation already has an active response in progress: {self._active}. "
                "Wait until the response is finished before creating a new one.",
            )
        if not self._line.behaviour.answers():
            return
        response = self._maker.make(parameters, prompt, given)
        delay = self._line.after(self._line.settings.reply_delay_ms / 1000, lambda: self._begin(response))
        self._works[response.id] = _Work(response, delay.cancel)
        if in_conversation:
            self._active = response.id
        response.create()

    def generated_ms(self, item: Item) -> int:
        """How much audio of an item exists: all of it, unless it is still being made."""
        making = [found for work in self._works.values() if (found := work.response.making(item))]
        return making[0].generated_ms if making else item.audio_ms

    def cancel(self, response_id: str | None) -> None:
        """The client cancels; without an id the one in the conversation. Raises RefusedError."""
        work = self._works.get(response_id or self._active or "")
        if work is None:
            raise RefusedError("response_cancel_not_active", "Cancellation failed: no active response found")
        self._end(work.response, "cancelled", reason="client_cancelled")

    def interrupt(self) -> None:
        """The caller speaks: what is being made in the conversation is cancelled, what is heard cut off."""
        cut: list[Playing] = []

        def clear() -> None:
            cut.extend(self._cleared())

        def cancel() -> None:
            if self._active:
                self._end(self._works[self._active].response, "cancelled", reason="turn_detected")

        # Which of the two comes first is not documented.
        first, second = (cancel, clear) if self._line.variation.either() else (clear, cancel)
        first()
        second()
        self._truncate(cut)

    def cut_off(self) -> None:
        """What is heard of the conversation ends here, and what is being made goes on unheard."""
        self._truncate(self._cleared())

    def _cleared(self) -> list[Playing]:
        return self._playout.clear() if self._playout and self._playout.holds_conversation else []

    def clear_output(self) -> None:
        """The client cuts off what is heard, if anything is. Raises RefusedError on a WebSocket."""
        if self._playout is None:
            raise RefusedError(
                "invalid_value", "output_audio_buffer.clear is for WebRTC and SIP only.", param="type"
            )
        cut = self._playout.clear()
        for playing in cut:
            if playing.response_id in self._works:
                self._end(self._works[playing.response_id].response, "cancelled", reason="client_cancelled")
        self._truncate(cut)

    def _truncate(self, cut: Sequence[Playing]) -> None:
        """Over WebRTC the server knows how much was heard, so it truncates by itself."""
        for playing in cut:
            if playing.in_conversation and self._items.get(playing.item.id) is playing.item:
                playing.item.truncate(playing.played_ms)
                self._line.send(
                    "conversation.item.truncated",
                    item_id=playing.item.id,
                    content_index=0,
                    audio_end_ms=playing.played_ms,
                )

    def _begin(self, response: Response) -> None:
        """The reply delay is over: the first piece comes now."""
        if response.ending is not None and response.ending.status == "failed":
            self._end(response, "failed", error=response.ending.error)
            return
        first, *others = response.outputs
        self._open(response, first)
        steps, end = self._steps(response, first), seconds_of(first, self._line)
        for output in others:
            # Recorded with gpt-realtime-2.1: a call's events stand between those of the message before it.
            begin = end * LATER_ITEM_AT
            own_end = begin + seconds_of(output, self._line)
            steps.append(GenerationStep(begin, partial(self._open, response, output)))
            steps += later(begin, text_steps(output, self._line))
            steps.append(GenerationStep(own_end, partial(output.close, "completed")))
            end = max(end, own_end)
        generation = Generation(response, [*steps, GenerationStep(end, lambda: self._complete(response))])
        if response.id in self._works:
            self._works[response.id].stop = generation.stop
        generation.start()

    def _open(self, response: Response, output: OutputItem) -> None:
        item = self._maker.new_item(response, output)
        place = None
        if response.in_conversation:
            previous, first = self._items.add(item), self._items.first
            place = (previous, first is not None and first.id == previous)
        output.open(item, place)

    def _steps(self, response: Response, output: OutputItem) -> list[GenerationStep]:
        if output.form != "audio":
            return text_steps(output, self._line)
        self._session.assistant_spoke = True
        if self._playout is None:
            output_format = response.parameters["audio"]["output"]["format"]["type"]
            return audio_steps(output, self._line, output_format=output_format)
        playing = Playing(response.id, output.item, output.reply, response.in_conversation)
        begin = partial(self._playout.add, playing) if output.reply.duration_ms else None
        return audio_steps(output, self._line, begin_playing=begin)

    def _complete(self, response: Response) -> None:
        ending = response.ending or Ending("completed")
        if ending.status:
            self._end(response, ending.status, reason=ending.reason, error=ending.error)

    def _end(
        self, response: Response, status: str, *, reason: str = "", error: dict[str, str] | None = None
    ) -> None:
        work = self._works.pop(response.id)
        work.stop()
        if self._active == response.id:
            self._active = None
        response.finish(status, reason=reason, error=error)
        self._maker.remember(response)
        self._limits.used(response.context.total + response.spent().total)
        # A WebSocket's client is taken to play from the moment at which the audio began to arrive.
        self._heard_until = self._line.now
        if self._playout is not None:
            self._playout.response_done(response.id, response.generated_ms)
        else:
            unheard_ms = response.generated_ms * (1 - 1 / self._line.settings.generation_speed)
            self._heard_until += max(unheard_ms, 0) / 1000
