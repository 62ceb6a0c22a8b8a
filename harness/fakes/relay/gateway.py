"""The reference gateway: it ends the caller's WebRTC itself, and has a WebSocket of its own to OpenAI.

A conversation passes it as audio, both ways, and as events on the data channel. Its far end is plain
aiortc: not the
harness's own peer, so that what callers meet here is another's WebRTC.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import fractions
import json
from collections.abc import Sequence
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidStateError
from aiortc.mediastreams import MediaStreamError
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from harness.core.audio import Samples
from harness.fakes.relay.dialing import dial
from harness.fakes.relay.gateway_hooks import GatewayFault
from harness.fakes.relay.settings import RelaySettings

RATE, UPSTREAM_RATE = 48_000, 24_000
FRAME = RATE // 50
AUDIO_DELTA, APPEND = "response.output_audio.delta", "input_audio_buffer.append"


class Loudspeaker(MediaStreamTrack):
    """What the caller hears: deltas in real time, silence between them."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._audio = np.zeros(0, np.int16)
        self._frames = 0
        self._origin = 0.0

    def push(self, samples: Samples) -> None:
        """More to play, 48 kHz."""
        self._audio = np.concatenate([self._audio, samples])

    def clear(self) -> None:
        """Stop at once."""
        self._audio = np.zeros(0, np.int16)

    async def recv(self) -> av.AudioFrame:
        """The next 20 ms, when they are due."""
        loop = asyncio.get_running_loop()
        if not self._frames:
            self._origin = loop.time()
        await asyncio.sleep(max(0.0, self._origin + self._frames * 0.02 - loop.time()))
        piece, self._audio = self._audio[:FRAME], self._audio[FRAME:]
        piece = np.concatenate([piece, np.zeros(FRAME - len(piece), np.int16)])
        frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = (
            RATE,
            self._frames * FRAME,
            fractions.Fraction(1, RATE),
        )
        self._frames += 1
        return frame


class GatewayCall:
    """One caller, and one conversation of ours."""

    def __init__(self, settings: RelaySettings, faults: Sequence[GatewayFault]) -> None:
        self._settings = settings
        self._faults = faults
        self._peer = RTCPeerConnection()
        self._speaker = Loudspeaker()
        self._upstream: ClientConnection | None = None
        self._channel: RTCDataChannel | None = None
        self._early: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=UPSTREAM_RATE)
        self._over = asyncio.Event()

    async def answer(self, offer: str) -> str:
        """Connect upstream, and answer the caller's offer. Raises Refusal."""
        if all(f.opens_upstream for f in self._faults):
            self._upstream = await dial(self._settings, headers=self._settings.authorization)
        self._peer.on("track", lambda track: self._begin(self._listen(track)))
        self._peer.on("datachannel", self._opened)
        self._peer.on("connectionstatechange", self._changed)
        await self._peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        self._peer.addTrack(self._speaker)
        await self._peer.setLocalDescription(await self._peer.createAnswer())
        if self._upstream is not None:
            self._begin(self._from_upstream(self._upstream))
        self._begin(self._end())
        return self._peer.localDescription.sdp

    async def close(self) -> None:
        """End it, whatever it is doing."""
        self._over.set()
        await asyncio.wait(self._tasks) if self._tasks else None

    def _begin(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- the caller's side ---

    def _opened(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        channel.on("message", lambda message: self._begin(self._say(message)))
        channel.on("close", self._over.set)
        for text in self._early:
            self._tell(text)
        self._early.clear()

    def _changed(self) -> None:
        if self._peer.connectionState in ("failed", "closed"):
            self._over.set()

    async def _listen(self, track: MediaStreamTrack) -> None:
        """The caller's audio, resampled and sent on as it comes."""
        delay = max((f.delay_up for f in self._faults), default=0.0)
        hears = all(f.passes_voice for f in self._faults)
        with contextlib.suppress(MediaStreamError, ConnectionClosed):
            while True:
                frame = await track.recv()
                for each in self._resampler.resample(frame) if hears else ():  # type: ignore[arg-type]  # audio, as its kind says
                    audio = each.to_ndarray().reshape(-1).astype("<i2").tobytes()
                    event = {"type": APPEND, "audio": base64.b64encode(audio).decode()}
                    if delay:
                        asyncio.get_running_loop().call_later(
                            delay, self._begin, self._send(json.dumps(event))
                        )
                    else:
                        await self._send(json.dumps(event))

    async def _say(self, message: str | bytes) -> None:
        text = message if isinstance(message, str) else message.decode("utf-8", "replace")
        if all(f.passes_events for f in self._faults):
            await self._send(text)

    async def _send(self, text: str) -> None:
        if self._upstream is not None:
            with contextlib.suppress(ConnectionClosed):
                await self._upstream.send(text)

    def _tell(self, text: str) -> None:
        if not all(f.passes_events for f in self._faults):
            return
        if self._channel is None:
            self._early.append(text)
            return
        with contextlib.suppress(InvalidStateError):
            self._channel.send(text)

    # --- OpenAI's side ---

    async def _from_upstream(self, upstream: ClientConnection) -> None:
        delay = max((f.delay_down for f in self._faults), default=0.0)
        swallows, unplayed = max((f.swallows for f in self._faults), default=0.0), 0
        own_update = True
        async for message in upstream:
            event = json.loads(message)
            if event["type"] == AUDIO_DELTA:
                samples = np.frombuffer(base64.b64decode(event["delta"]), "<i2").astype(np.int16)
                wide = np.repeat(samples, RATE // UPSTREAM_RATE)
                unplayed, wide = max(0, unplayed - len(wide)), wide[unplayed:]
                asyncio.get_running_loop().call_later(delay, self._speaker.push, wide)
                continue
            if event["type"] == "input_audio_buffer.speech_started":
                self._speaker.clear()
            if event["type"] == "response.created":
                unplayed = round(swallows * RATE)
            if own_update and event["type"] == "session.updated":
                own_update = False  # the answer to what the gateway configured
                continue
            self._tell(str(message))
        if all(f.ends_with_upstream for f in self._faults):
            self._over.set()

    async def _end(self) -> None:
        await self._over.wait()
        await self._peer.close()
        if self._upstream is not None and all(f.ends_with_caller for f in self._faults):
            await self._upstream.close()
