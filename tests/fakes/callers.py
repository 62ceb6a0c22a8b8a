"""Real calls to a running fake or relay, small: what the tests of the fakes stand on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from harness.core.clock import MonotonicClock, RelativeClock
from harness.core.events import Event, Packet, ServerEvent
from harness.core.timeline import Timeline
from harness.fakes.openai.conversation.settings import ConversationSettings
from harness.fakes.openai.http.app import FakeOpenAI
from harness.fakes.openai.record import UpstreamRecord
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.serving import running
from harness.peer.peer import Peer
from harness.peer.source import Microphone, SpokenUtterance
from harness.speech import opus
from harness.speech.library import load_library

KEY = "sk-test-0123456789abcdefghij"
BEARER = {"Authorization": f"Bearer {KEY}"}
CALLS = "/v1/realtime/calls"
SESSION = {"type": "realtime", "model": "gpt-realtime-2.1"}

T = TypeVar("T")


def quick(**changes: Any) -> FakeSettings:
    """Settings for short calls: loopback, the cheap detector, a reply at once that is a tone of 1.5 s."""
    conversation = ConversationSettings(
        reply_delay_ms=0,
        generation_speed=100.0,
        silence_duration_ms=200,
        transcription_delay_ms=0,
        vary=False,
    ).changed(changes.pop("conversation", {}))
    defaults: dict[str, Any] = {"addresses": ("127.0.0.1",), "vad": "webrtc", "voice": "mark"}
    return FakeSettings(**{**defaults, **changes}, conversation=conversation)


@dataclass
class Reached:
    """A fake that is served somewhere."""

    url: str
    client: httpx.AsyncClient

    async def calls(self, **query: str) -> list[dict[str, Any]]:
        """What it shows of its calls."""
        reply = await self.client.get(f"{self.url}/_fake/calls", params=query)
        calls: list[dict[str, Any]] = reply.raise_for_status().json()["calls"]
        return calls

    async def post(self, path: str, **request: Any) -> httpx.Response:
        if path == "/_fake/reset":
            request = {"json": {}, **request}
        return await self.client.post(self.url + path, **{"headers": BEARER, **request})


@dataclass
class Served(Reached):
    """A fake of this process."""

    fake: FakeOpenAI

    @property
    def records(self) -> list[UpstreamRecord]:
        return list(self.fake.calls.records)


async def until(timeline: Timeline, condition: Callable[[], T | None], within: float = 8.0) -> T:
    """The condition's value once it is true, asked at each event of the timeline; fails after `within` s."""
    happened = asyncio.Event()
    stop = timeline.listen(lambda _event: happened.set())
    try:
        async with asyncio.timeout(within):
            while not (value := condition()):
                happened.clear()
                await happened.wait()
            return value
    finally:
        stop()


@dataclass
class Caller:
    """The other end of a call."""

    timeline: Timeline = field(default_factory=Timeline)
    microphone: Microphone = field(default_factory=lambda: Microphone(opus.comfort_noise()))
    offer: str = ""

    def __post_init__(self) -> None:
        self.clock = RelativeClock(MonotonicClock())
        self.peer = Peer(
            record=self.timeline.append,
            clock=self.clock,
            microphone=self.microphone,
            new_decoder=lambda: opus.Decoder().decode,
            addresses=["127.0.0.1"],
        )

    def accept(self, answer: str) -> None:
        self.peer.accept_answer(answer, ice_seconds=5.0, dtls_seconds=2.0)

    async def say(self, clip: str = "en-m-yes") -> None:
        utterance = SpokenUtterance(load_library().clip(clip).packets)
        self.microphone.say(utterance)
        await utterance.done

    async def state(self, layer: str, state: str, within: float = 8.0) -> Event:
        """When a layer reached a state."""
        return await until(self.timeline, lambda: self.timeline.state(layer, state), within)  # type: ignore[arg-type]  # any layer

    def heard(self) -> list[Packet]:
        """All packets that came so far."""
        self.peer.heard.flush()
        return self.timeline.packets()

    async def event(self, *types: str, within: float = 8.0) -> ServerEvent:
        """The first server event of one of the types."""
        return await until(
            self.timeline, lambda: next(iter(self.timeline.server_events(*types)), None), within
        )


@asynccontextmanager
async def serving(settings: FakeSettings | None = None) -> AsyncIterator[Served]:
    """A fake on a free port of loopback."""
    fake = FakeOpenAI(settings or quick())
    async with running(fake.app) as url, httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        yield Served(url, client, fake)


@asynccontextmanager
async def new_caller() -> AsyncIterator[Caller]:
    """A caller with its offer made, closed in any case."""
    caller = Caller()
    try:
        caller.offer = await caller.peer.create_offer()
        yield caller
    finally:
        await caller.peer.close()


@asynccontextmanager
async def calling(
    served: Reached, session: dict[str, Any] | None = None, *, fault: dict[str, object] | None = None
) -> AsyncIterator[Caller]:
    """A caller whose answer is applied; whether it connects is up to the fake. `fault` is for it alone."""
    async with new_caller() as caller:
        for name, value in (fault or {}).items():
            planted = {"name": name, "value": value, "ufrag": caller.peer.ufrag}
            (await served.post("/_fake/faults", json=[planted])).raise_for_status()
        parts = {"sdp": (None, caller.offer, "application/sdp")}
        if session is not None:
            parts["session"] = (None, json.dumps(session), "application/json")
        response = await served.post(CALLS, files=parts)
        assert response.status_code == 201, response.text
        caller.accept(response.text)
        yield caller
