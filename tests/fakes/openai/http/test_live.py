"""GPT-Live: the official client makes the session, the official types judge every event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.types.live.server_event import ServerEvent as LiveServerEvent
from pydantic import TypeAdapter

from harness.core.events import ServerEvent
from tests.fakes.callers import KEY, Caller, Served, new_caller

EVENT: TypeAdapter[Any] = TypeAdapter(LiveServerEvent)
SESSION: Any = {
    "model": "gpt-live-1",
    "instructions": "Be brief.",
    "audio": {"output": {"voice": "marin"}},
}


@asynccontextmanager
async def live(served: Served) -> AsyncIterator[Caller]:
    async with (
        AsyncOpenAI(api_key=KEY, base_url=f"{served.url}/v1", max_retries=0) as client,
        new_caller() as caller,
    ):
        made = await client.live.create(session=SESSION, transport={"type": "webrtc", "sdp": caller.offer})
        assert made.session.id == served.records[0].id
        caller.accept(made.transport.sdp)
        yield caller
        for event in caller.timeline.all(ServerEvent):
            EVENT.validate_python(event.event)


async def test_a_session_starts_and_transcribes_both_sides(served: Served) -> None:
    """Transcripts, usage, and none of the events of turns."""
    async with live(served) as caller:
        started = await caller.event("session.started")
        assert started.event is not None
        session = started.event["session"]
        assert (session["model"], session["instructions"], session["status"]) == (
            "gpt-live-1",
            "Be brief.",
            "active",
        )
        await caller.say()
        await caller.event("session.input_transcript.delta")
        await caller.event("session.output_transcript.delta")
        await caller.event("session.usage.updated")
        assert {e.type for e in caller.timeline.server_events()} == {
            "session.started",
            "session.input_transcript.delta",
            "session.output_transcript.delta",
            "session.usage.updated",
        }


async def test_client_events_are_acknowledged_with_their_id(served: Served) -> None:
    """Or refused with it."""
    async with live(served) as caller:
        await caller.event("session.started")
        sent: dict[str, dict[str, Any]] = {
            "session.update": {"session": {}},
            "session.input_audio.mute": {},
            "session.input_audio.unmute": {},
            "session.instructions.append": {"content": "Be kind."},
            "session.thinking.append": {"content": "Hm."},
        }
        for kind, more in sent.items():
            caller.peer.send({"type": kind, "event_id": kind, **more})
        for kind in (
            "session.updated",
            "session.input_audio.muted",
            "session.input_audio.unmuted",
            "session.instructions.appended",
            "session.thinking.appended",
        ):
            event = (await caller.event(kind)).event
            assert event is not None
            assert event["client_event_id"]
        caller.peer.send({"type": "session.instructions.append", "event_id": "mine"})
        refused = (await caller.event("error")).event
        assert refused is not None
        assert (refused["client_event_id"], refused["error"]["code"]) == ("mine", "invalid_event")


async def test_commentary_is_spoken(served: Served) -> None:
    """Appended text becomes an answer at once."""
    async with live(served) as caller:
        await caller.event("session.started")
        caller.peer.send({"type": "session.commentary.append", "content": "Say hello."})
        await caller.event("session.output_transcript.delta")


async def test_a_muted_caller_is_not_heard(served: Served) -> None:
    """Packets come, and count as silence."""
    async with live(served) as caller:
        await caller.event("session.started")
        caller.peer.send({"type": "session.input_audio.mute"})
        await caller.event("session.input_audio.muted")
        await caller.say()
        caller.peer.send({"type": "session.commentary.append", "content": "Now you."})
        await caller.event("session.usage.updated")
        assert caller.timeline.server_events("session.input_transcript.delta") == []


async def test_a_close_is_confirmed_and_ends_the_call(served: Served) -> None:
    """session.closed, then the transport."""
    async with live(served) as caller:
        await caller.event("session.started")
        caller.peer.send({"type": "session.close"})
        closed = (await caller.event("session.closed")).event
        assert closed is not None
        assert closed["reason"] == "close_requested"
        await caller.state("dtls", "closed")
        assert served.records[0].reason == "close-requested"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "transport.type"),
        ({"transport": {"type": "webrtc"}}, "transport.sdp"),
        ({"transport": {"type": "webrtc", "sdp": "v=0"}, "session": {}}, "session.model"),
    ],
)
async def test_a_bad_request_is_refused(served: Served, body: Any, param: str) -> None:
    """Naming the parameter; the attempt is recorded."""
    response = await served.post("/v1/live/sessions", json=body)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
    assert served.records[0].reason == "refused-400"


async def test_what_is_no_event_is_refused(served: Served) -> None:
    """Text that is no JSON, and an event of another API."""
    async with live(served) as caller:
        await caller.event("session.started")
        caller.peer.send_raw("{")
        caller.peer.send_raw(json.dumps({"type": "input_audio_buffer.commit"}))
        async with asyncio.timeout(5):
            while len(caller.timeline.server_events("error")) < 2:
                await asyncio.sleep(0.01)
