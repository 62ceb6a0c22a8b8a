"""Through a real TURN server, and by no other way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from harness.config.ice import IceServer
from harness.core.clock import MonotonicClock
from harness.network.gathering import ServerGathering
from tests.peer.pairs import connected_pair, until
from tests.support.coturn import PASSWORD, USERNAME, Coturn


class Cable:
    """A wire that passes everything on."""

    def outgoing(self, _size: int, pass_on: Callable[[], object]) -> None:
        pass_on()

    def incoming(self, _size: int, pass_on: Callable[[], object]) -> None:
        pass_on()

    def flush(self) -> None: ...


@pytest.mark.parametrize(("transport", "wired"), [("udp", False), ("tcp", False), ("udp", True)])
async def test_events_and_media_pass_both_ways_through_turn(
    tmp_path: Path, transport: str, wired: bool
) -> None:
    with Coturn(tmp_path) as coturn:
        url = {"udp": coturn.turn_udp, "tcp": coturn.turn_tcp}[transport]
        asking = ServerGathering(
            servers=[IceServer((url,), USERNAME, SecretStr(PASSWORD))],
            clock=MonotonicClock(),
            on_tried=lambda _: None,
            within=5.0,
            relay_only=True,
        )
        async with connected_pair(ask_servers=asking, relay_only=True) as (caller, callee, channel):
            if wired:
                caller.transport.put_behind(Cable())
            assert [c.type for c in caller.transport.candidates] == ["relay"]
            heard: list[bytes] = []
            answered: list[bytes] = []
            told: list[str | bytes] = []
            callee.transport.on_rtp = lambda packet, _at: heard.append(packet)
            caller.transport.on_rtp = lambda packet, _at: answered.append(packet)
            callee.channels[0].on_message = told.append
            media = bytes.fromhex("806f0001000003e800000457") + b"payload"
            await until(lambda: callee.transport.send_rtp(media))
            assert caller.transport.send_rtp(media)
            channel.send("hello")
            await until(lambda: heard and answered and told)
        assert (heard, answered, told) == ([media], [media], ["hello"])
