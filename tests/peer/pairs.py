"""Two transports connected over loopback: the real thing, small."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from harness.core.events import Layer
from harness.core.sdp import parse_sdp
from harness.fakes.openai.media.answer import write_answer
from harness.peer.channel import Channel
from harness.peer.descriptions import write_offer
from harness.peer.remote import Remote
from harness.peer.transport import Transport

LOOPBACK = ["127.0.0.1"]


@dataclass
class End:
    """One end, with the states it went through."""

    states: list[tuple[Layer, str, str]] = field(default_factory=list)
    transport: Transport = field(init=False)
    channels: list[Channel] = field(default_factory=list)

    def saw(self, layer: str, state: str) -> bool:
        return any(entry[:2] == (layer, state) for entry in self.states)


def new_end(*, controlling: bool, **more: Any) -> End:
    """`more`: options of the transport."""
    end = End()
    end.transport = Transport(
        controlling=controlling,
        on_state=lambda layer, state, detail: end.states.append((layer, state, detail)),
        addresses=LOOPBACK,
        **more,
    )
    end.transport.on_channel = end.channels.append
    return end


async def until(condition: object, within: float = 5.0) -> None:
    """Wait until the callable is true; fail after `within` seconds."""
    assert callable(condition)
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.005)


async def negotiate(caller: End, callee: End) -> tuple[Remote, Remote]:
    """What each end learns of the other."""
    await caller.transport.gather()
    await callee.transport.gather()
    offer = write_offer(caller.transport, ssrc=1111)
    answer = write_answer(parse_sdp(offer), callee.transport, ssrc=2222)
    return Remote.from_sdp(parse_sdp(answer)), Remote.from_sdp(parse_sdp(offer)).answered("active")


@asynccontextmanager
async def connected_pair(
    callees: Mapping[str, Any] = MappingProxyType({}), **callers: Any
) -> AsyncIterator[tuple[End, End, Channel]]:
    """Caller, callee, and the caller's open channel. `callees`, `callers`: options of their transports."""
    caller, callee = new_end(controlling=True, **callers), new_end(controlling=False, **callees)
    channel = caller.transport.open_channel("oai-events")
    try:
        of_callee, of_caller = await negotiate(caller, callee)
        await asyncio.gather(caller.transport.connect(of_callee), callee.transport.connect(of_caller))
        await until(lambda: channel.state == "open" and callee.channels)
        yield caller, callee, channel
    finally:
        await caller.transport.close()
        await callee.transport.close()
