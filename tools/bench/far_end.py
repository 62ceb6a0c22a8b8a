"""The far end of the measured calls, a process on a core of its own: it answers offers, speaks and counts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from itertools import cycle
from typing import Any, Protocol

import uvloop
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from harness.core.collector import freeze_loaded
from harness.core.sdp import parse_sdp
from harness.fakes.openai.media.answer import write_answer
from harness.peer.peer import BATCH
from harness.peer.receiver import AudioReceiver
from harness.peer.remote import Remote
from harness.peer.sender import AudioSender, new_ssrc
from harness.peer.source import ENDLESS
from harness.peer.transport import Transport
from harness.speech.library import load_library
from tools.bench.machine import answer, questions
from tools.bench.plain_call import SpokenTrack, listen

REPLY = "en-f-reply-order"


class Callee(Protocol):
    """One call's far end."""

    async def answer(self, offer: str) -> str: ...

    def counted(self) -> tuple[int, int, int]:
        """Packets sent, received and lost so far."""
        ...

    async def close(self) -> None: ...


class Loop:
    """A PacketSource without an end."""

    def __init__(self, packets: tuple[bytes, ...]) -> None:
        self._packets = cycle(packets)

    def next_packet(self) -> bytes | None:
        """The next packet."""
        return next(self._packets)

    def foreseen(self) -> int:
        """As many as one likes."""
        return ENDLESS


class OurCallee:
    """Our engine."""

    def __init__(self) -> None:
        self._receiver = AudioReceiver()
        self._transport = Transport(
            controlling=False,
            on_state=lambda _layer, _state, _detail: None,
            addresses=["127.0.0.1"],
            on_rtp=self._receiver.rtp,
            on_rtcp=self._receiver.rtcp,
            batch=BATCH,
        )
        source = Loop(load_library().clip(REPLY).packets)
        self._sender = AudioSender(
            self._transport,
            source,
            ssrc=new_ssrc(),
            ahead=BATCH,
            receiver=self._receiver,
            chores=self._transport.flush,
        )
        self._receiver.our_ssrc = self._sender.ssrc
        self._connecting: asyncio.Task[None] | None = None

    async def answer(self, offer: str) -> str:
        """Answer, and connect in the background."""
        description = parse_sdp(offer)
        await self._transport.gather()
        text = write_answer(description, self._transport, ssrc=self._sender.ssrc)
        remote = Remote.from_sdp(description).answered("active")
        self._connecting = asyncio.get_running_loop().create_task(self._connect(remote))
        return text

    async def _connect(self, remote: Remote) -> None:
        await self._transport.connect(remote)
        self._sender.start()

    def counted(self) -> tuple[int, int, int]:
        self._transport.flush()
        return self._sender.packets, self._receiver.packets, self._receiver.lost

    async def close(self) -> None:
        self._sender.stop()
        await self._transport.close()


class PlainCallee:
    """aiortc, the usual way."""

    def __init__(self) -> None:
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._listening: asyncio.Task[None] | None = None
        self._pc.on("track", self._track)

    def _track(self, track: Any) -> None:
        self._listening = asyncio.get_running_loop().create_task(listen(track))

    async def answer(self, offer: str) -> str:
        """Answer, and connect in the background."""
        await self._pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        self._pc.addTrack(SpokenTrack(REPLY))
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        return str(self._pc.localDescription.sdp)

    def counted(self) -> tuple[int, int, int]:
        return 0, 0, 0

    async def close(self) -> None:
        await self._pc.close()
        if self._listening is not None:
            await self._listening


CALLEES: dict[str, Callable[[], Callee]] = {"ours": OurCallee, "plain": PlainCallee}


async def serve(make: Callable[[], Callee]) -> None:
    """Answer `offer` with the answer, `count` with the sums, `close` when all calls are closed."""
    calls: list[Callee] = []
    async for question in questions():
        if "offer" in question:
            calls.append(make())
            answer(answer=await calls[-1].answer(question["offer"]))
        elif "count" in question:
            sent, received, lost = (sum(column) for column in zip(*(c.counted() for c in calls), strict=True))
            answer(sent=sent, received=received, lost=lost)
        else:
            await asyncio.gather(*(call.close() for call in calls))
            calls.clear()
            answer(closed=True)
    await asyncio.gather(*(call.close() for call in calls))


if __name__ == "__main__":
    _ = load_library().clip(REPLY).packets
    freeze_loaded()
    uvloop.run(serve(CALLEES[sys.argv[1]]))
