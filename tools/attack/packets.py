"""Packets: SCTP, STUN, DTLS, RTP and RTCP, at the sockets and behind the keys of a call that is up."""

from __future__ import annotations

import asyncio
import random
from struct import pack
from typing import Any

from harness.core.clock import MonotonicClock, RelativeClock
from harness.core.events import Event
from harness.core.timeline import Timeline
from harness.peer.heard import ReceivedAudio
from harness.peer.heard_lightly import ReceivedAudioLight
from harness.peer.receiver import AudioReceiver
from harness.speech import opus
from tests.peer.pairs import connected_pair, until
from tests.peer.test_hostile_packets import anything, media, mutated, protocols, record, stun
from tests.support.timelines import healthy_events, timeline_of
from tools.attack.kinds import expect, kind
from tools.attack.showing import judged

SCTP_INPUTS, DATAGRAMS, RTP_INPUTS = 2000, 1000, 3000


class _Told:
    def __init__(self) -> None:
        self.failed: list[str] = []
        self.unhandled: list[str] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: self.unhandled.append(repr(context))
        )

    def options(self) -> dict[str, Any]:
        return {
            "on_malformed": lambda _problem: None,
            "on_failed": lambda where, error: self.failed.append(f"{where}: {error!r}"),
        }

    def check(self) -> None:
        asyncio.get_running_loop().set_exception_handler(None)
        expect(not self.failed and not self.unhandled, f"{self.failed[:3]} {self.unhandled[:3]}")


@kind("packets: SCTP in a call", within=60.0)
async def sctp(rng: random.Random) -> int:
    """Chunks with the right ports, tag and checksum, and something wrong inside."""
    told = _Told()
    async with connected_pair(**told.options()) as (caller, _callee, _channel):
        association = caller.transport._sctp  # noqa: SLF001  (as the socket would)
        for n in range(SCTP_INPUTS):
            await association._handle_data(mutated(rng, association))  # noqa: SLF001  (as the socket would)
            if n % 50 == 0:
                await asyncio.sleep(0)
    told.check()
    return SCTP_INPUTS


@kind("packets: of anybody, at the sockets", within=60.0)
async def sockets(rng: random.Random) -> int:
    """STUN, DTLS records, RTP and noise from a stranger; the call goes on."""
    told = _Told()
    async with connected_pair(told.options()) as (_caller, callee, channel):
        (protocol,) = protocols(callee)
        for n in range(DATAGRAMS):
            make = rng.choice((stun, record, media, anything))
            protocol.datagram_received(make(rng), ("127.0.0.1", 9), 0.0)
            if n % 50 == 0:
                await asyncio.sleep(0)
        got: list[str | bytes] = []
        channel.on_message = got.append
        callee.channels[0].send("still here")
        await until(lambda: got == ["still here"])
    told.check()
    return DATAGRAMS


def _rtp(rng: random.Random) -> bytes:
    first = rng.choice((0x80, 0x80, 0x80, 0x90, 0xA0, 0xB0, 0x8F, 0xBF, 0x00, 0x40))
    head = pack(
        "!BBHLL",
        first,
        rng.choice((111, 0xEF, 13, 0, 127)),
        rng.choice((1, 2, 65535, 32768, rng.randrange(65536))),
        rng.choice((0, 960, 2**32 - 1, rng.randrange(2**32))),
        rng.choice((1, 2, rng.randrange(2**32))),
    )
    payload = rng.choice((b"", b"\0", b"\xf8\xff\xfe", rng.randbytes(rng.randrange(1, 300)), bytes(1200)))
    return head[: rng.choice((12, 12, 12, 12, rng.randrange(13)))] + payload


def _rtcp(rng: random.Random) -> bytes:
    made = b""
    for _ in range(rng.randint(0, 4)):
        body = rng.randbytes(4 * rng.randrange(12))
        length = rng.choice((len(body) // 4, len(body) // 4, rng.randrange(65536)))
        made += pack(
            "!BBH", 0x80 | rng.randrange(64), rng.choice((200, 201, 202, 203, 204, 205, 206, 207)), length
        )
        made += body
    return made + rng.choice((b"", b"", rng.randbytes(3)))


@kind("packets: RTP and RTCP, decrypted", within=30.0)
def media_packets(rng: random.Random) -> int:
    """Headers, payloads and reports of any form; what was heard is judged."""
    timeline: Timeline = timeline_of(healthy_events("black-box"))
    clock = RelativeClock(MonotonicClock())
    events: list[Event] = []
    heard: ReceivedAudio | ReceivedAudioLight
    if rng.random() < 0.5:
        heard = ReceivedAudio(events.append, clock, opus.Decoder().decode)
    else:
        heard = ReceivedAudioLight(events.append, clock, lambda: opus.Decoder().decode)
    receiver = AudioReceiver(on_packet=heard.packet, on_report=lambda _r: None, on_other=lambda _t: None)
    receiver.our_ssrc = 1
    at = clock.origin + 1.0
    for n in range(RTP_INPUTS):
        at += rng.choice((0.0, 0.001, 0.02))
        if n % 10:
            receiver.rtp(_rtp(rng), at)
        else:
            receiver.rtcp(_rtcp(rng), at)
    heard.flush()
    receiver.report_blocks(at)
    heard.samples()
    for event in events:
        timeline.append(event)
    judged(timeline)
    return RTP_INPUTS
