"""Faults of the ICE servers that a call is configured with: its peer asks them, and the call goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from pydantic import SecretStr

from harness.config.ice import IceServer
from tests.support import stun
from tests.system.conversations import connects
from tests.system.planted import Planned, configured

SLOW_SECONDS = 1.0

# Name → how it behaves, whether it is asked to relay, and its delay.
BEHAVIOURS: dict[str, tuple[stun.Behave, bool, float]] = {
    "stun-silent": (stun.keeps_silent, False, 0.0),
    "stun-slow": (stun.maps_to("192.0.2.1"), False, SLOW_SECONDS),
    "stun-without-address": (stun.answers_without_address, False, 0.0),
    "turn-refusing": (stun.refuses(401, "Unauthorized"), True, 0.0),
}

PLANTED = [
    configured("connectivity.gathering: stun-unreachable", connects, ice="stun-silent"),
    configured("connectivity.gathering: turn-refused", connects, ice="turn-refusing"),
    configured("connectivity.gathering: host-candidates-only", connects, ice="stun-without-address"),
    # Twice as slow as allowed, and not a word about the data channel, whose time begins with the answer.
    configured(
        "connectivity.gathering: gathering-slow",
        connects,
        ice="stun-slow",
        limits=(("gathering_s", SLOW_SECONDS / 2), ("channel_s", SLOW_SECONDS)),
    ),
]


@asynccontextmanager
async def ice_servers(planted: Iterable[Planned]) -> AsyncIterator[dict[str, IceServer]]:
    """Those that the calls need, running, by name."""
    async with AsyncExitStack() as stack:
        servers = {}
        for name in {each.ice for each in planted if each.ice}:
            behave, relays, delay = BEHAVIOURS[name]
            server = await stack.enter_async_context(stun.fake_ice_server(behave, delay))
            servers[name] = (
                IceServer((server.turn,), "caller", SecretStr("turn-password"))
                if relays
                else IceServer((server.stun,))
            )
        yield servers
