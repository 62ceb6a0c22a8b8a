"""The harness's own WebRTC peer as a caller's end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from harness.call.ends import EndParts, OpenEnd
from harness.config.run import RunSettings
from harness.core.caller_end import Exchange, Spoken, WhatIsHeard, Wire
from harness.core.events import IceServerTried
from harness.network.gathering import ServerGathering, ServerTried
from harness.peer.offers import shape_named
from harness.peer.peer import Peer
from harness.peer.source import Microphone, SpokenUtterance
from harness.speech import opus


@asynccontextmanager
async def peers(settings: RunSettings) -> AsyncIterator[OpenEnd]:
    """Opens a peer for each call of a run; they share nothing that would have to be made before."""
    del settings
    yield PeerEnd


class PeerEnd:
    """A `CallerEnd` on a `Peer`."""

    def __init__(self, parts: EndParts) -> None:
        self._timeouts = parts.settings.timeouts
        silence = opus.comfort_noise() if parts.settings.comfort_noise else [opus.SILENCE]
        self._peer = Peer(
            record=parts.record,
            clock=parts.clock,
            microphone=Microphone(silence),
            new_decoder=lambda: opus.Decoder().decode,
            light=parts.light,
            addresses=_addresses(parts),
            ask_servers=_ask_servers(parts),
            relay_only=parts.target.relay_only,
            shape=parts.shape,
            ufrag=parts.ufrag,
        )

    @property
    def ufrag(self) -> str:
        return self._peer.ufrag

    @property
    def channel_state(self) -> str:
        return self._peer.channel_state

    @property
    def heard(self) -> WhatIsHeard:
        return self._peer.heard

    async def connect(self, exchange: Exchange) -> None:
        """Offer, answer; ICE, DTLS and the channel go on in the background."""
        self.accept_answer(await exchange(await self.create_offer()))

    async def say(
        self, clip: Spoken, on_started: Callable[[], None], on_ended: Callable[[bool], None]
    ) -> None:
        """Hand its packets to the microphone, and wait until they are sent."""
        # A clip's first use decodes and encodes it: off the loop, which paces every call of the process.
        packets = await asyncio.to_thread(lambda: clip.packets)
        utterance = SpokenUtterance(packets, on_started=on_started, on_ended=on_ended)
        self._peer.microphone.say(utterance)
        await asyncio.shield(utterance.done)

    def send(self, event: dict[str, Any]) -> None:
        self._peer.send(event)

    @property
    def muted(self) -> bool:
        return self._peer.microphone.muted

    def mute(self, *, muted: bool) -> None:
        self._peer.microphone.muted = muted

    def send_nothing(self, *, stopped: bool) -> None:
        self._peer.microphone.stopped = stopped

    async def create_offer(self) -> str:
        return await self._peer.create_offer()

    def accept_answer(self, answer: str) -> None:
        self._peer.accept_answer(answer, ice_seconds=self._timeouts.ice, dtls_seconds=self._timeouts.dtls)

    @property
    def offer(self) -> str:
        return self._peer.offer

    @property
    def shape(self) -> str:
        return self._peer.shape

    def put_behind(self, wire: Wire) -> None:
        self._peer.put_behind(wire)

    async def rebind(self) -> bool:
        return await self._peer.rebind()

    async def vanish(self) -> None:
        await self._peer.vanish()

    async def close(self) -> None:
        await self._peer.close()


def _addresses(parts: EndParts) -> list[str] | None:
    """On loopback both families, where the offer names what it gathered as a browser does."""
    addresses = parts.settings.ice_addresses()
    return [*addresses, "::1"] if addresses and shape_named(parts.shape).spare else addresses


def _ask_servers(parts: EndParts) -> ServerGathering:
    def tried(server: ServerTried) -> None:
        took = round(server.took, 6)
        parts.record(
            IceServerTried(
                at=parts.clock.now(), url=server.url, error=server.error, took=took, gave=server.gave
            )
        )

    return ServerGathering(
        servers=parts.target.ice_servers,
        clock=parts.clock,
        on_tried=tried,
        within=parts.settings.timeouts.gathering,
        relay_only=parts.target.relay_only,
        ca_file=parts.target.ice_ca,
    )
