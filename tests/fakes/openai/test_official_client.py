"""The official Python SDK, unchanged but for `base_url`: over WebRTC (stock aiortc) and over WebSocket."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack
from openai import AsyncOpenAI
from websockets.exceptions import InvalidStatus

from harness.core.realtime_events import server_event_problem
from harness.fakes.openai.speaking import wire_audio
from harness.speech.library import load_library
from tests.fakes.callers import KEY, Served, calling, quick, serving, until


@pytest.fixture
async def client(served: Served) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=KEY, base_url=f"{served.url}/v1", max_retries=0) as client:
        yield client


async def test_calls_create_and_an_aiortc_peer_make_a_call(served: Served, client: AsyncOpenAI) -> None:
    """What a developer would write first must work as against the real API."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    try:
        peer.addTrack(AudioStreamTrack())
        channel = peer.createDataChannel("oai-events")
        channel.on("message", lambda message: received.put_nowait(json.loads(message)))
        await peer.setLocalDescription(await peer.createOffer())
        answer = await client.realtime.calls.create(
            sdp=peer.localDescription.sdp,
            session={"type": "realtime", "model": "gpt-realtime-2.1", "instructions": "Be brief."},
        )
        assert answer.response.status_code == 201
        await peer.setRemoteDescription(RTCSessionDescription(sdp=answer.text, type="answer"))
        async with asyncio.timeout(8):
            created = await received.get()
            assert server_event_problem(created) is None
            assert created["session"]["instructions"] == "Be brief."
            channel.send(json.dumps({"type": "response.create", "response": {"output_modalities": ["text"]}}))
            while (event := await received.get())["type"] != "response.done":
                assert server_event_problem(event) is None, event
            assert event["response"]["status"] == "completed"
        call_id = answer.response.headers["location"].rpartition("/")[2]
        await client.realtime.calls.hangup(call_id)
        [record] = served.records
        assert (record.id, record.reason) == (call_id, "hangup-requested")
        with pytest.raises(openai.NotFoundError, match="No call found"):
            await client.realtime.calls.hangup(call_id)
    finally:
        await peer.close()


async def test_client_secrets_make_a_call_with_their_session(served: Served, client: AsyncOpenAI) -> None:
    """The ephemeral key opens a WebSocket, and the session it was made for is in force."""
    secret = await client.realtime.client_secrets.create(
        expires_after={"anchor": "created_at", "seconds": 60},
        session={"type": "realtime", "model": "gpt-realtime-2.1", "instructions": "From the key."},
    )
    assert secret.value.startswith("ek_")
    assert secret.session.type == "realtime"
    assert secret.session.instructions == "From the key."
    async with (
        AsyncOpenAI(api_key=secret.value, base_url=f"{served.url}/v1") as holder,
        holder.realtime.connect(model="gpt-realtime-2.1") as connection,
    ):
        created = await connection.recv()
        assert created.type == "session.created"
        assert created.session.instructions == "From the key."  # type: ignore[union-attr]  # realtime


@pytest.mark.parametrize("kind", ["audio/pcm", "audio/pcmu", "audio/pcma"])
async def test_realtime_connect_holds_a_spoken_conversation(
    served: Served, client: AsyncOpenAI, kind: str
) -> None:
    """Speech appended as PCM or G.711 is detected, and answered in the same format."""
    rate = {"rate": 24000} if kind == "audio/pcm" else {}
    shape: Any = {
        "type": "realtime",
        "audio": {
            "input": {"format": {"type": kind, **rate}},
            "output": {"format": {"type": kind, **rate}},
        },
    }
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        await connection.session.update(session=shape)
        audio = wire_audio.encode(load_library().clip("en-m-yes").samples, kind)
        silence = wire_audio.encode(load_library().clip("silence").samples, kind)
        for chunk in (audio, silence):
            await connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode())
        seen: list[str] = []
        reply = b""
        async with asyncio.timeout(10):
            async for event in connection:
                problem = server_event_problem(json.loads(event.to_json(exclude_unset=True)))
                assert problem is None, problem
                seen.append(event.type)
                if event.type == "response.output_audio.delta":
                    reply += base64.b64decode(event.delta)
                if event.type == "response.done":
                    break
    assert seen.index("input_audio_buffer.speech_started") < seen.index("input_audio_buffer.speech_stopped")
    assert "output_audio_buffer.started" not in seen  # WebRTC only
    assert len(reply) == 1500 * wire_audio.BYTES_PER_MS[kind]
    [record] = served.records
    await until(record.timeline, lambda: record.state == "ended")
    assert record.reason == "hang-up"


async def test_the_sideband_sees_and_steers_a_call() -> None:
    """A second connection by call id gets the call's events and may send its own."""
    async with serving(quick()) as served, calling(served) as caller:
        await caller.event("session.created")
        [record] = served.records
        async with (
            AsyncOpenAI(api_key=KEY, base_url=f"{served.url}/v1") as client,
            client.realtime.connect(call_id=record.id) as sideband,
        ):
            await sideband.session.update(session={"type": "realtime", "instructions": "Steered."})
            async with asyncio.timeout(5):
                event = await sideband.recv()
            assert event.type == "session.updated", "nothing greets a sideband"
            updated = await caller.event("session.updated")
            assert updated.event is not None
            assert updated.event["session"]["instructions"] == "Steered."
            assert updated.event["event_id"] == event.event_id


async def test_the_sideband_of_an_unknown_call_is_not_found(client: AsyncOpenAI) -> None:
    """The upgrade itself is refused, as clients that retry rely on."""
    with pytest.raises(InvalidStatus) as refused:
        async with client.realtime.connect(call_id="rtc_unknown"):
            pass
    assert refused.value.response.status_code == 404
    assert json.loads(refused.value.response.body or b"")["error"]["code"] == "call_id_not_found"
