"""A conversation with the I/O around it played by hand: a clock, a player, and every event checked."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any, Literal

from harness.core.realtime_events import server_event_problem
from harness.fakes.openai.conversation import (
    Behaviour,
    Close,
    Conversation,
    ConversationSettings,
    Output,
    Play,
    Quirk,
    Send,
    StopPlaying,
)
from harness.fakes.openai.speaking.replies import SpokenReply
from harness.fakes.openai.speaking.voices import Prompt
from harness.speech import generate
from tests.fakes.openai.order import order_violations
from tests.fakes.recorded import differences, explanation

REPLY_MS = 2000
PLAYER_STEP = 0.1

# What a client may send: a tool, and a typed message.
WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "The weather somewhere",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["C", "F"]}},
    },
}
TYPED = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello there"}]}


class SilentVoice:
    """Replies of true silence, `duration_ms` long."""

    def __init__(self, duration_ms: int = REPLY_MS, transcript: str = "One two three four five six.") -> None:
        self._duration_ms, self._transcript = duration_ms, transcript
        self.prompts: list[Prompt] = []

    def reply(self, prompt: Prompt) -> SpokenReply:
        self.prompts.append(prompt)
        return SpokenReply(
            f"silence-{prompt.ordinal}",
            self._transcript,
            self._duration_ms,
            lambda: generate.silence(self._duration_ms),
        )


class Driven:
    """Audio flows all the time: the audio clock is the clock."""

    def __init__(
        self,
        *,
        session: dict[str, Any] | None = None,
        transport: Literal["webrtc", "websocket"] = "webrtc",
        settings: ConversationSettings | None = None,
        quirks: Sequence[Quirk] = (),
        seed: int = 0,
        voice: SilentVoice | None = None,
        strict: bool = True,
    ) -> None:
        """`strict` False: a fault is at work, so that events are not checked."""
        self.voice = voice or SilentVoice()
        self.strict = strict
        self.conversation = Conversation(
            session=session,
            call_id="rtc_C9G8zqvFhTLkT5wM3qYkz",
            transport=transport,
            voice=self.voice,
            created_at=1_800_000_000,
            settings=settings or ConversationSettings(vary=False),
            rng=random.Random(seed),
            behaviour=Behaviour(quirks),
        )
        self.now = 0.0
        self.outputs: list[Output] = []
        self.playing: Play | None = None
        self._playing_since = 0.0

    # --- what came out ---

    @property
    def events(self) -> list[dict[str, Any]]:
        return [output.event for output in self.outputs if isinstance(output, Send)]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def all(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == name]

    def one(self, name: str) -> dict[str, Any]:
        found = self.all(name)
        assert len(found) == 1, f"{len(found)} {name} in {self.types()}"
        return found[0]

    def last(self, name: str) -> dict[str, Any]:
        return self.all(name)[-1]

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [event["error"] for event in self.all("error")]

    @property
    def closed(self) -> Close | None:
        return next((output for output in self.outputs if isinstance(output, Close)), None)

    def is_playing(self) -> bool:
        return self.playing is not None

    # --- what goes in ---

    def open(self) -> Driven:
        self.take(self.conversation.opened(self.now))
        return self

    def send(self, type_: str, **fields: Any) -> list[Output]:
        return self.send_raw(json.dumps({"type": type_, **fields}))

    def send_raw(self, raw: str | bytes) -> list[Output]:
        return self.take(self.conversation.client_message(raw, self.now))

    def update(self, **session: Any) -> list[Output]:
        return self.send("session.update", session={"type": "realtime", **session})

    def start_speaking(self) -> None:
        self.take(self.conversation.speech_started(max(self.audio_ms - 300, 0), self.now))

    def stop_speaking(self) -> None:
        self.take(self.conversation.speech_stopped(self.audio_ms, self.now))

    def say(self, seconds: float = 1.0) -> None:
        """The caller speaks, and the detector hears it to the end."""
        self.start_speaking()
        self.wait(seconds)
        self.stop_speaking()

    def wait(self, seconds: float) -> None:
        """Time passes: appointments are kept, the player plays, audio comes in."""
        until = self.now + seconds
        while self.now < until:
            deadline = self.conversation.next_deadline()
            self.now = min(until, self.now + PLAYER_STEP, max(deadline or until, self.now))
            self.take(self.conversation.tick(self.now))
            self.take(self.conversation.audio_heard(self.audio_ms, self.now))
            self._play_on()
            if deadline is not None and self.now >= until:
                self.take(self.conversation.tick(self.now))

    def wait_until_quiet(self) -> None:
        """All that was begun is over."""
        for _ in range(1000):
            self.wait(PLAYER_STEP)
            if self.playing is None and not self._in_progress():
                return
        raise AssertionError(f"it never ended: {self.types()[-5:]}")

    @property
    def audio_ms(self) -> int:
        return round(self.now * 1000)

    def take(self, outputs: list[Output]) -> list[Output]:
        for output in outputs:
            if isinstance(output, Play):
                assert self.playing is None, "two replies would play at a time"
                self.playing, self._playing_since = output, self.now
            elif isinstance(output, StopPlaying):
                assert self.playing is not None
                assert self.playing.response_id == output.response_id
                self.playing = None
            elif isinstance(output, Send) and self.strict:
                problem = server_event_problem(output.event)
                assert problem is None, f"{problem} in {output.event}"
                new = [line for line in differences(output.event) if explanation(line) is None]
                assert new == [], new
        self.outputs += outputs
        if self.strict:
            assert order_violations(self.events) == []
        return outputs

    def _play_on(self) -> None:
        if self.playing is None:
            return
        played = round((self.now - self._playing_since) * 1000)
        if played >= self.playing.reply.duration_ms:
            self.playing = None
            self.take(self.conversation.playout_finished(self.now))
        else:
            self.take(self.conversation.playout_progress(played, self.now))

    def _in_progress(self) -> bool:
        return len(self.all("response.created")) > len(self.all("response.done"))


def codes(call: Driven) -> list[str]:
    """Those of all errors so far."""
    return [error["code"] for error in call.errors]
