"""The measured end: so many calls in this process, their CPU time, memory, losses and punctuality."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Protocol

import uvloop

from harness.core.clock import MonotonicClock, RelativeClock, process_cpu_seconds
from harness.core.collector import freeze_loaded
from harness.core.timeline import Timeline
from harness.peer.pacer import Pacer
from harness.peer.peer import Peer
from harness.peer.source import Microphone
from harness.speech import opus
from harness.speech.library import load_library
from tools.bench.machine import Child, answer, child, questions, resident_mib
from tools.bench.plain_call import PlainCall

CLIP = "en-f-order"
SETTLE_SECONDS = 1.0
CONNECT_SECONDS = 30.0
AT_ONCE = 8  # calls that are being set up
TICKS = 50  # a second


class Caller(Protocol):
    """One call's near end."""

    connected: asyncio.Event

    async def offer(self, clip: str) -> str: ...

    async def accept(self, sdp: str) -> None: ...

    async def counted(self) -> tuple[int, int, int]: ...

    async def close(self) -> None: ...


@cache
def clip_packets() -> Sequence[bytes]:
    """Read once, as a load test's callers share theirs."""
    return load_library().clip(CLIP).packets


class OurCall:
    """The engine as load uses it: a light timeline, nothing decoded, statistics on."""

    def __init__(self) -> None:
        self.connected = asyncio.Event()
        self._timeline = Timeline()
        self._peer = Peer(
            record=self._timeline.append,
            clock=RelativeClock(MonotonicClock()),
            microphone=Microphone(clip_packets()),
            new_decoder=lambda: opus.Decoder().decode,
            light=True,
            addresses=["127.0.0.1"],
        )

    async def offer(self, clip: str) -> str:
        """An offer with audio and a data channel."""
        return await self._peer.create_offer()

    async def accept(self, sdp: str) -> None:
        """Apply the answer; `connected` follows."""
        self._timeline.listen(
            lambda _event: self.connected.set() if self._peer.channel_state == "open" else None
        )
        self._peer.accept_answer(sdp, ice_seconds=CONNECT_SECONDS, dtls_seconds=CONNECT_SECONDS)

    async def counted(self) -> tuple[int, int, int]:
        """Packets sent, received and lost."""
        return self._peer.counted()

    async def close(self) -> None:
        """Hang up."""
        await self._peer.close()


CALLERS: dict[str, Callable[[], Caller]] = {"ours": OurCall, "plain": PlainCall}


async def measure(make: Callable[[], Caller], far: Child, calls: int, seconds: float) -> dict[str, Any]:
    """Set up `calls`, let them talk for `seconds`, hang up; CPU in ms, memory in MiB."""
    gc.collect()
    memory = resident_mib()
    made: list[Caller] = []
    places = asyncio.Semaphore(AT_ONCE)
    asking = asyncio.Lock()
    clock = MonotonicClock()

    async def set_up() -> None:
        async with places:
            call = make()
            made.append(call)
            offer = await call.offer(CLIP)
            async with asking:
                answered = await far.ask({"offer": offer})
            await call.accept(answered["answer"])
            await asyncio.wait_for(call.connected.wait(), CONNECT_SECONDS)

    await asyncio.gather(*(set_up() for _ in range(calls)))
    await asyncio.sleep(SETTLE_SECONDS)
    before = await totals(made)
    cpu, began = process_cpu_seconds(), clock.now()
    for _ in range(max(1, round(seconds))):
        await asyncio.sleep(seconds / max(1, round(seconds)))
        await totals(made)  # statistics on: once a second, each call
    talk_cpu, talked = process_cpu_seconds() - cpu, clock.now() - began
    after = await totals(made)
    far_counts = await far.ask({"count": True})
    gc.collect()
    grown = resident_mib() - memory
    pacer = Pacer.shared()
    ticks = int(talked * TICKS)
    late = {f"late_p{q}_ms": pacer.lateness_ms(q, ticks) for q in (50, 99, 100)}
    await asyncio.gather(*(call.close() for call in made))
    await far.ask({"close": True})
    per_second = 1 / (calls * talked)
    return {
        "calls": calls,
        "seconds": talked,
        "cpu_ms_per_call_second": 1000 * talk_cpu * per_second,
        "core_share": talk_cpu / talked,
        "sent_per_call_second": (after[0] - before[0]) * per_second,
        "received_per_call_second": (after[1] - before[1]) * per_second,
        "lost": after[2],
        "lost_far": far_counts["lost"],
        "mib_per_call": grown / calls,
        **late,
    }


async def churn(make: Callable[[], Caller], far: Child, calls: int) -> dict[str, Any]:
    """Set up `calls` one after another, each until its channel is open, and hang up; CPU in ms for one."""
    for first in (True, False):  # the first is for what is loaded and made only once
        cpu = process_cpu_seconds()
        for _ in range(3 if first else calls):
            call = make()
            answered = await far.ask({"offer": await call.offer(CLIP)})
            await call.accept(answered["answer"])
            await asyncio.wait_for(call.connected.wait(), CONNECT_SECONDS)
            await call.close()
            await far.ask({"close": True})
    return {"set_up_cpu_ms": 1000 * (process_cpu_seconds() - cpu) / calls}


async def totals(calls: list[Caller]) -> tuple[int, int, int]:
    """Packets sent, received and lost by all calls."""
    sent = received = lost = 0
    for call in calls:
        of_call = await call.counted()
        sent, received, lost = sent + of_call[0], received + of_call[1], lost + of_call[2]
        await asyncio.sleep(0)  # asked one after the other: all at once would hold up a frame every second
    return sent, received, lost


async def serve(engine: str, far_core: int) -> None:
    """Answer `calls` and `seconds`, or `churn`, with what was measured."""
    clip_packets()
    freeze_loaded()  # as a call process does
    async with child("tools.bench.far_end", engine, core=far_core) as far:
        async for question in questions():
            if "churn" in question:
                answer(**await churn(CALLERS[engine], far, question["churn"]))
            else:
                answer(**await measure(CALLERS[engine], far, question["calls"], question["seconds"]))


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
