"""What the caller hears (WebRTC): one response at a time, the next when it is over, and how far each got."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from harness.fakes.openai.conversation.items import Item
from harness.fakes.openai.conversation.line import Line
from harness.fakes.openai.conversation.outputs import Play, StopPlaying
from harness.fakes.openai.speaking.replies import SpokenReply


@dataclass
class Playing:
    """The audio of one response on its way to the caller.

    `limit_ms`: how much of it exists, where its generation was cut short. `in_conversation`: False for a
    response out of band.
    """

    response_id: str
    item: Item
    reply: SpokenReply
    in_conversation: bool
    played_ms: int = 0
    limit_ms: int | None = None
    generated: bool = False
    drained: bool = False


class Playout:
    """The output audio buffer of a WebRTC call."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._waiting: deque[Playing] = deque()
        self.current: Playing | None = None

    @property
    def idle(self) -> bool:
        return self.current is None and not self._waiting

    @property
    def holds_conversation(self) -> bool:
        """Whether it plays, or is going to play, a response of the conversation."""
        held = [self.current, *self._waiting]
        return any(playing is not None and playing.in_conversation for playing in held)

    def add(self, playing: Playing) -> None:
        """Play it now, or after what is playing."""
        self._waiting.append(playing)
        self._next()

    def progressed(self, played_ms: int) -> None:
        """The player has played this much of the current reply."""
        if self.current is None:
            return
        self.current.played_ms = max(self.current.played_ms, min(played_ms, self.current.reply.duration_ms))
        limit = self.current.limit_ms
        if limit is not None and self.current.played_ms >= limit and not self.current.drained:
            self._line.put(StopPlaying(self.current.response_id))
            self.finished()

    def finished(self) -> None:
        """The player has played the whole of the current reply."""
        if self.current is not None:
            self.current.drained = True
            self._settle()

    def response_done(self, response_id: str, generated_ms: int) -> None:
        """The response is generated, as far as `generated_ms`: its audio ends there."""
        for playing in (self.current, *self._waiting):
            if playing is not None and playing.response_id == response_id:
                playing.generated = True
                if generated_ms < playing.reply.duration_ms:
                    playing.limit_ms = generated_ms
        if self.current is not None:
            self.progressed(self.current.played_ms)
            self._settle()

    def clear(self) -> list[Playing]:
        """Stop; returns what was cut off, also what had not begun."""
        cut = [playing for playing in (self.current, *self._waiting) if playing is not None]
        self._waiting.clear()
        if self.current is not None:
            if not self.current.drained:
                self._line.put(StopPlaying(self.current.response_id))
            self._line.send("output_audio_buffer.cleared", response_id=self.current.response_id)
            self.current = None
        return cut

    def _settle(self) -> None:
        """`stopped` is sent when the buffer has drained and the full response was sent (SDK)."""
        if self.current is not None and self.current.drained and self.current.generated:
            self._line.send("output_audio_buffer.stopped", response_id=self.current.response_id)
            self.current = None
            self._next()

    def _next(self) -> None:
        if self.current is None and self._waiting:
            self.current = self._waiting.popleft()
            self._line.send("output_audio_buffer.started", response_id=self.current.response_id)
            self._line.put(Play(self.current.response_id, self.current.item.id, self.current.reply))
