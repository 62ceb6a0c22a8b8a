"""ICE servers: the lists that name them, and what they answer."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

from aioice import stun
from pydantic import SecretStr

from harness.cli.ice_output import as_json
from harness.cli.screen import PrintableConsole
from harness.config.ice import IceServer, ice_server, parse_ice_servers
from harness.core.clock import MonotonicClock
from harness.core.errors import UsageError
from harness.network.gathering import ServerGathering, ServerTried
from harness.network.probing import probe_all
from harness.peer.transport import Transport
from tests.support.escapes import raw_in
from tests.support.stun import Answer, answers, fake_ice_server
from tools.attack.kinds import expect, kind
from tools.attack.values import TEXTS, spoiled, spoiled_text

LIST = [
    {"urls": "stun:stun.example.com:3478"},
    {
        "urls": ["turn:t.example.com?transport=udp", "turns:t.example.com"],
        "username": "u",
        "credential": "c-secret",
    },
]


@kind("ICE servers: lists of them")
def lists(rng: random.Random) -> int:
    """What a page's back end answers when it is asked for ICE servers."""
    text = json.dumps(spoiled(rng.choice((LIST, {"iceServers": LIST}, LIST[1])), rng, rng.choice((1, 2))))
    if rng.random() < 0.3:
        text = spoiled_text(text, rng)
    if rng.random() < 0.05:
        text = rng.choice(("[" * 100_000, '{"iceServers":' * 5000, "9" * 5000, json.dumps(LIST * 500)))
    readers: tuple[Callable[[], object], ...] = (
        lambda: parse_ice_servers(text, "it"),
        lambda: ice_server(text),
    )
    for read in readers:
        try:
            read()
        except UsageError as error:
            expect("c-secret" not in str(error), "a credential in the message")
    return 1


def _behaviour(rng: random.Random) -> Any:
    def behave(request: stun.Message, addr: tuple[str, int]) -> Answer:
        answer = bytearray(bytes(answers(request, addr)))
        match rng.randrange(6):
            case 0:
                return bytes(rng.randbytes(rng.randrange(80)))
            case 1:
                return bytes(answer[: rng.randrange(len(answer))])
            case 2:
                for _ in range(rng.randint(1, 4)):
                    answer[rng.randrange(len(answer))] = rng.randrange(256)
                return bytes(answer)
            case 3:
                value = rng.choice(TEXTS).encode("utf-8", "surrogatepass")[:500]
                kind_ = rng.choice((0x0009, 0x0014, 0x0015, 0x8022))
                more = pack_attribute(kind_, rng.choice((b"\0\0\4\1", b"")) + value)
                answer[0:2] = rng.choice((b"\1\x11", b"\1\1", b"\1\x13"))
                answer += more
                answer[2:4] = (len(answer) - 20).to_bytes(2, "big")
                return bytes(answer)
            case 4:
                return None
            case _:
                return bytes(answer)

    return behave


def pack_attribute(kind_: int, value: bytes) -> bytes:
    """One attribute of STUN."""
    return kind_.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)


@kind("ICE servers: their answers", within=30.0)
async def servers(rng: random.Random) -> int:
    """STUN and TURN servers that answer malformed, cut, or with other words."""
    unhandled: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: unhandled.append(repr(context)))
    tried: list[ServerTried] = []
    async with fake_ice_server(_behaviour(rng)) as server:
        gathering = ServerGathering(
            servers=(IceServer((server.stun,)), IceServer((server.turn,), "u", SecretStr("c-secret"))),
            clock=MonotonicClock(),
            on_tried=tried.append,
            within=0.5,
        )
        transport = Transport(
            controlling=True, on_state=lambda *_: None, addresses=["127.0.0.1"], ask_servers=gathering
        )
        try:
            await transport.gather()
        finally:
            await transport.close()
        secret = SecretStr("c-secret")
        probed = await probe_all(
            [IceServer((server.stun,)), IceServer((server.turn,), "u", secret)], within=0.5
        )
        console = PrintableConsole(markup=False, highlight=False, emoji=False, width=200)
        with console.capture() as captured:
            console.print(str(as_json(probed)))
        expect(not raw_in(captured.get()), "raw text of a server")
        count = len(server.requests)
    loop.set_exception_handler(None)
    expect(not unhandled, f"{unhandled[:3]}")
    expect(len(tried) == 2, f"{tried}")
    return max(1, count)
