"""openai-python and stock aiortc over WebRTC: an ephemeral key, `realtime.calls`, a sideband.

aiortc's checks after nomination come without USE-CANDIDATE. A server that insists on it, as OpenAI's is
reported to, loses such a caller after about 30 s, so these calls are short.
"""

from __future__ import annotations

import asyncio
import json
import math
import struct
from fractions import Fraction
from typing import Any

import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, MediaStreamTrack
from openai import AsyncOpenAI

from tests.clients.programs.reporting import Received, Report, Setting, cancelled, completed, run

RATE, FRAME = 24_000, 480
LOUD = 300  # root mean square of 16-bit samples; speech has some thousands

SESSION: Any = {
    "type": "realtime",
    "model": "gpt-realtime-2.1",
    "audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}},
    "tools": [
        {
            "type": "function",
            "name": "look_up_order",
            "description": "Look up where an order is",
            "parameters": {"type": "object", "properties": {"order": {"type": "string"}}},
        }
    ],
}


class Microphone(AudioStreamTrack):
    """Silence at the pace of aiortc's own track, or what is to be said."""

    def __init__(self) -> None:
        super().__init__()
        self._left = b""
        self._said = asyncio.Event()

    async def say(self, audio: bytes) -> None:
        """Return when it was said."""
        self._left, self._said = audio, asyncio.Event()
        await self._said.wait()

    async def recv(self) -> Any:
        paced: Any = await super().recv()
        piece, self._left = self._left[: 2 * FRAME], self._left[2 * FRAME :]
        if not self._left:
            self._said.set()
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(piece.ljust(2 * FRAME, b"\0"))
        frame.pts, frame.sample_rate = paced.pts * FRAME // paced.samples, RATE
        frame.time_base = Fraction(1, RATE)
        return frame


class Peer:
    """A call of stock aiortc."""

    def __init__(self, received: Received) -> None:
        self.received = received
        self.microphone = Microphone()
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.connection.addTrack(self.microphone)
        self.channel = self.connection.createDataChannel("oai-events")
        self.channel.on("message", lambda message: received.push(json.loads(message)))
        self.channel.on("close", lambda: received.push({"type": "client:closed"}))
        self.connection.on("track", self._listen)
        self._listening: asyncio.Task[None] | None = None

    async def call(self, client: AsyncOpenAI) -> str:
        """The id of the call, once its answer is applied."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        answer = await client.realtime.calls.create(sdp=self.connection.localDescription.sdp)
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp=answer.text, type="answer"))
        return str(answer.response.headers["location"].rpartition("/")[2])

    def send(self, kind: str, **fields: Any) -> None:
        self.channel.send(json.dumps({"type": kind, **fields}))

    async def heard(self, place: int) -> None:
        await self.received.after(place, "output_audio_buffer.started")
        await self.received.after(self.received.here, "client:audio")

    async def close(self) -> None:
        await self.connection.close()
        if self._listening is not None:
            await self._listening

    def _listen(self, track: MediaStreamTrack) -> None:
        self._listening = asyncio.create_task(self._hear(track))

    async def _hear(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame: Any = await track.recv()
            except MediaStreamError:  # how aiortc says that the track has ended
                return
            data = bytes(frame.planes[0])
            samples = struct.unpack(f"<{len(data) // 2}h", data)
            if math.sqrt(sum(sample * sample for sample in samples[::8]) / len(samples[::8])) > LOUD:
                self.received.push({"type": "client:audio"})


async def converse(report: Report, setting: Setting) -> None:
    received = Received()
    async with AsyncOpenAI(api_key=setting.key, base_url=setting.url, max_retries=0) as client:
        with report.feature("connect"):
            peer = Peer(received)
            secret = await client.realtime.client_secrets.create(session=SESSION)
            assert secret.value.startswith("ek_")
            async with AsyncOpenAI(api_key=secret.value, base_url=setting.url, max_retries=0) as holder:
                call_id = await peer.call(holder)
            created = await received.after(0, "session.created")
            assert created["session"]["tools"][0]["name"] == "look_up_order"
        await talk(report, setting, peer)
        with report.feature("sideband"):
            place = received.here
            async with client.realtime.connect(call_id=call_id) as sideband:
                await sideband.session.update(session={"type": "realtime", "instructions": "Steered."})
                async with asyncio.timeout(5):
                    while (await sideband.recv()).type != "session.updated":
                        pass
            updated = await received.after(place, "session.updated")
            assert updated["session"]["instructions"] == "Steered."
        with report.feature("close"):
            await peer.close()
        with report.feature("hang-up by id"):
            peer, place = Peer(received), received.here
            call_id = await peer.call(client)
            await received.after(place, "session.created")
            place = received.here
            await client.realtime.calls.hangup(call_id)
            await received.after(place, "client:closed")
            await peer.close()


async def talk(report: Report, setting: Setting, peer: Peer) -> None:
    received = peer.received

    with report.feature("spoken turn"):
        await peer.microphone.say(setting.speech("yes"))
        await received.after(0, "input_audio_buffer.speech_started")
        await received.after(0, "input_audio_buffer.speech_stopped")
        await peer.heard(0)

    with report.feature("barge-in"):
        place = received.here
        await peer.microphone.say(setting.speech("wait"))
        await received.after(place, "output_audio_buffer.cleared")
        await received.after(place, "response.done", cancelled("turn_detected"))
        await received.after(place, "conversation.item.truncated")
        answer = await received.after(place, "response.created")
        await peer.heard(received.events.index(answer))

    with report.feature("interrupt()"):
        place = received.here
        peer.send("response.cancel")
        peer.send("output_audio_buffer.clear")
        await received.after(place, "response.done", cancelled("client_cancelled"))
        await received.after(place, "output_audio_buffer.cleared")

    with report.feature("transcription"):
        kind = "conversation.item.input_audio_transcription.completed"
        assert (await received.after(0, kind))["transcript"]

    with report.feature("text"):
        place = received.here
        content = [{"type": "input_text", "text": "Where is my order?"}]
        peer.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        peer.send("response.create", response={"output_modalities": ["text"]})
        assert (await received.after(place, "response.output_text.done"))["text"]
        await received.after(place, "response.done", completed)

    with report.feature("tool call"):
        place = received.here
        peer.send("response.create", response={"tool_choice": "required"})
        output = (await received.after(place, "response.done", completed))["response"]["output"]
        [called] = [item for item in output if item["type"] == "function_call"]  # a message may come with it
        assert called["name"] == "look_up_order"
        assert isinstance(json.loads(called["arguments"])["order"], str)
        place = received.here
        answer = {"type": "function_call_output", "call_id": called["call_id"], "output": "Yesterday."}
        peer.send("conversation.item.create", item=answer)
        peer.send("response.create")
        await peer.heard(place)
        await received.after(place, "response.done", completed)


if __name__ == "__main__":
    run("openai", converse)
