"""aiortc the usual way: frames into a track, decoded frames out of a track, RTCPeerConnection between."""

from __future__ import annotations

import asyncio
import fractions
from functools import cache
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from harness.core.audio import Samples
from harness.core.audio_format import FRAME_SAMPLES, RATE
from harness.core.clock import MonotonicClock
from harness.speech.library import load_library

FRAME_SECONDS = FRAME_SAMPLES / RATE


@cache
def clip_samples(clip: str) -> Samples:
    """Read once, as ours."""
    return load_library().clip(clip).samples


class SpokenTrack(MediaStreamTrack):
    """A clip again and again, a frame every 20 ms, as aiortc's own AudioStreamTrack paces itself."""

    kind = "audio"

    def __init__(self, clip: str) -> None:
        super().__init__()
        self._samples = clip_samples(clip)
        self._at = 0
        self._clock = MonotonicClock()
        self._started: float | None = None

    async def recv(self) -> av.AudioFrame:
        """The next 20 ms."""
        if self._started is None:
            self._started = self._clock.now()
        await asyncio.sleep(max(0.0, self._started + self._at / RATE - self._clock.now()))
        start = self._at % (len(self._samples) - FRAME_SAMPLES)
        piece = self._samples[start : start + FRAME_SAMPLES].reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._at, fractions.Fraction(1, RATE)
        self._at += FRAME_SAMPLES
        return frame


async def listen(track: MediaStreamTrack) -> None:
    """Take every frame of a track until it ends."""
    try:
        while True:
            await track.recv()
    except MediaStreamError:
        return


class PlainCall:
    """The caller's end."""

    def __init__(self) -> None:
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._listening: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()

    async def offer(self, clip: str) -> str:
        """An offer with audio and a data channel."""
        self._pc.addTrack(SpokenTrack(clip))
        self._pc.createDataChannel("oai-events").on("open", self.connected.set)
        self._pc.on("track", self._track)
        await self._pc.setLocalDescription(await self._pc.createOffer())
        return str(self._pc.localDescription.sdp)

    async def accept(self, sdp: str) -> None:
        """Apply the answer; `connected` follows."""
        await self._pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    def _track(self, track: MediaStreamTrack) -> None:
        self._listening = asyncio.get_running_loop().create_task(listen(track))

    async def counted(self) -> tuple[int, int, int]:
        """Packets sent, received and lost, by the peer connection's own statistics."""
        reports: dict[str, Any] = {r.type: r for r in (await self._pc.getStats()).values()}
        heard = reports.get("inbound-rtp")
        sent = reports["outbound-rtp"].packetsSent
        return sent, heard.packetsReceived if heard else 0, heard.packetsLost if heard else 0

    async def close(self) -> None:
        """Hang up."""
        await self._pc.close()
        if self._listening is not None:
            await self._listening
