"""What the other end may send by mistake or on purpose: it is dropped, perhaps told of, and ends no call."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Callable
from struct import pack
from typing import Any

import pytest
from google_crc32c import value as crc32c

from harness.peer.association import Association
from harness.peer.sctp_packets import message_problem, packet_problem
from tests.peer.pairs import End, connected_pair, negotiate, new_end, until

pytestmark = pytest.mark.usefixtures("packet_path")  # with both

INPUTS = 3000
CHUNK_TYPES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 130, 192, 77)
ENDING = (6, 7, 8, 9, 14)  # chunks that may end an association by right
MOST_CPU = 20.0  # seconds for all inputs; an endless one would take for ever


def chunk(kind: int, body: bytes, *, length: int | None = None) -> bytes:
    said = 4 + len(body) if length is None else length
    return pack("!BBH", kind, 3, said) + body + bytes(-len(body) % 4)


def packet(*chunks: bytes, tag: int = 0) -> bytes:
    head, rest = pack("!HHL", 5000, 5000, tag), b"".join(chunks)
    return head + pack("<L", crc32c(head + bytes(4) + rest)) + rest


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (packet(chunk(0, bytes(4))), "a DATA chunk of 8 bytes, where 17 are the least"),
        (packet(chunk(0, bytes(12))), "a DATA chunk of 16 bytes, where 17 are the least"),
        (packet(chunk(0, bytes(16), length=99)), "a DATA chunk that says 99 bytes, where 20 are left"),
        (packet(chunk(0, bytes(16), length=3)), "a DATA chunk that says 3 bytes, where 20 are left"),
        (packet(chunk(1, bytes(8))), "an INIT chunk of 12 bytes, where 20 are the least"),
        (packet(chunk(1, bytes(16)), chunk(1, bytes(16))), "an INIT chunk that is not alone in its packet"),
        (
            packet(chunk(3, bytes(8) + pack("!HH", 1, 0))),
            "a SACK chunk of 16 bytes for 1 gaps and 0 duplicates",
        ),
        (
            packet(chunk(3, bytes(8) + pack("!HHHH", 1, 0, 5, 1))),
            "a SACK chunk whose gap 5 to 1 does not follow 0",
        ),
        (
            packet(chunk(130, pack("!HH", 13, 0))),
            "a parameter of a RE-CONFIG chunk that says 0 bytes, where 4 are left",
        ),
        (
            packet(chunk(130, pack("!HHL", 13, 8, 1))),
            "a RE-CONFIG parameter 13 of 8 bytes, where 16 are the least",
        ),
        (
            packet(chunk(4, pack("!HH", 1, 0))),
            "a parameter of a HEARTBEAT chunk that says 0 bytes, where 4 are left",
        ),
        (packet(chunk(192, bytes(6))), "a FORWARD TSN chunk of 10 bytes, which cuts a stream's entry"),
        (b"\0" * 12, "a packet of 12 bytes, shorter than a header and a chunk"),
        (packet(b"\0\0"), "a packet of 14 bytes, shorter than a header and a chunk"),
        (packet(chunk(11, b""), b"\0\0"), "2 bytes behind the last chunk"),
        (packet(chunk(0, bytes(20))), ""),
        (packet(chunk(0, pack("!L", 99_999) + bytes(20))), "a DATA chunk that is 100000 ahead of the last"),
        (packet(chunk(99, b"x")), ""),
    ],
)
def test_a_packet_is_told_what_is_wrong_with_it(sent: bytes, problem: str) -> None:
    assert packet_problem(sent, last_tsn=2**32 - 1) == problem


def test_data_cannot_come_before_the_association() -> None:
    data = packet(chunk(0, bytes(20)))
    assert packet_problem(data, last_tsn=None) == "a DATA chunk before the association was set up"


@pytest.mark.parametrize(
    ("protocol", "message", "problem"),
    [
        (51, b"\xff", "a text message that is not UTF-8"),
        (51, "¡hola!".encode(), ""),
        (53, b"\xff", ""),
        (50, b"\x03", "a DATA_CHANNEL_OPEN of 1 bytes, shorter than its header of 12"),
        (50, b"\x03" + bytes(7) + pack("!HH", 9, 9), "a DATA_CHANNEL_OPEN whose label and protocol of 18"),
        (
            50,
            b"\x03" + bytes(7) + pack("!HH", 1, 0) + b"\xff",
            "a DATA_CHANNEL_OPEN whose label or protocol is not",
        ),
        (50, b"\x03" + bytes(7) + pack("!HH", 1, 0) + b"a", ""),
        (50, b"\x02", ""),
    ],
)
def test_a_message_is_told_what_is_wrong_with_it(protocol: int, message: bytes, problem: str) -> None:
    assert message_problem(protocol, message, is_open=False).startswith(problem)
    assert bool(message_problem(protocol, message, is_open=False)) == bool(problem)


class Told:
    """What an end was told of; nothing may reach the event loop's own handler."""

    def __init__(self) -> None:
        self.malformed: list[str] = []
        self.failed: list[str] = []
        self.unhandled: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: self.unhandled.append(context)
        )

    def options(self) -> dict[str, Any]:
        return {
            "on_malformed": self.malformed.append,
            "on_failed": lambda where, error: self.failed.append(f"{where}: {error!r}"),
        }


async def test_one_short_chunk_is_dropped_and_the_call_goes_on() -> None:
    told = Told()
    async with connected_pair(**told.options()) as (_caller, callee, channel):
        got: list[str | bytes] = []
        channel.on_message = got.append
        callee.transport.send_chunk(chunk(0, bytes(4)))
        callee.channels[0].send("still here")
        await until(lambda: got == ["still here"])
        assert told.malformed == ["a DATA chunk of 8 bytes, where 17 are the least"]
    gc.collect()
    assert not told.failed
    assert not told.unhandled


async def test_a_message_that_makes_its_listener_fail_fails_that_call_alone() -> None:
    told = Told()
    async with connected_pair(**told.options()) as (_caller, callee, channel):
        got: list[str | bytes] = []

        def fail_once(message: str | bytes) -> None:
            got.append(message)
            if len(got) == 1:
                raise KeyError("of ours")

        channel.on_message = fail_once
        callee.channels[0].send("one")
        callee.channels[0].send("two")
        await until(lambda: got == ["one", "two"])
    assert told.failed == ["taking a message: KeyError('of ours')"]
    assert not told.unhandled


def mutated(rng: random.Random, association: Association) -> bytes:
    """A packet that is right at first sight: ports, tag and checksum."""
    chunks = []
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        kind = rng.choice([k for k in CHUNK_TYPES if k not in ENDING])
        body = rng.randbytes(rng.choice((0, 1, 3, 4, 8, 12, 16, 20, 40, 300)))
        if kind in (130, 4, 5) and rng.random() < 0.7:
            value = rng.randbytes(rng.choice((0, 4, 8, 12, 13, 14, 20)))
            body = pack("!HH", rng.choice((1, 7, 13, 14, 16, 17)), 4 + len(value)) + value
        if kind == 3 and rng.random() < 0.7:
            gaps = rng.randrange(4)
            body = rng.randbytes(8) + pack("!HH", gaps, 0) + rng.randbytes(4 * gaps)
        if kind == 0 and rng.random() < 0.7:
            tsn = ((association._last_received_tsn or 0) + rng.choice((1, 1, 1, 2, 0, -1))) % 2**32
            ppid = rng.choice((50, 50, 51, 53, 56, 57, 0))
            head = pack("!LHHL", tsn, rng.choice((0, 1, 7)), rng.choice((0, 1, 2)), ppid)
            body = head + rng.choice((b"\x03", b"\x02", b"{}", b"\xff")) + rng.randbytes(rng.randrange(30))
        length = rng.choice((None, None, None, None, rng.randrange(70000) % 65536))
        chunks.append(chunk(kind, body, length=length))
    tag = 0 if chunks[0][0] == 1 else association._local_verification_tag
    return packet(*chunks, tag=tag)


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_sctp_packet_raises_or_takes_for_ever(seed: int) -> None:
    told, rng = Told(), random.Random(seed)
    clock = asyncio.get_running_loop().time
    async with connected_pair(**told.options()) as (caller, _callee, _channel):
        association = caller.transport._sctp
        began = clock()
        for _ in range(INPUTS):
            await association._handle_data(mutated(rng, association))
        assert clock() - began < MOST_CPU
    gc.collect()
    assert told.malformed
    assert not told.failed
    assert not told.unhandled


def protocols(end: End) -> list[Any]:
    return list(end.transport._agent._protocols)


def stun(rng: random.Random) -> bytes:
    attributes = b""
    for _ in range(rng.randrange(5)):
        value = rng.randbytes(rng.choice((0, 1, 2, 3, 4, 7, 8, 20)))
        kind = rng.choice((0x01, 0x06, 0x08, 0x09, 0x20, 0x24, 0x25, 0x8028, 0x8029, 0x802A, 0x14, 0x0C))
        attributes += pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)
    return (
        pack("!HHL", rng.choice((0x001, 0x101, 0x111, 0x011, 0x003)), len(attributes), 0x2112A442)
        + rng.randbytes(12)
        + attributes
    )


def record(rng: random.Random) -> bytes:
    """Of DTLS."""
    body = rng.randbytes(rng.randrange(60))
    return bytes([rng.randrange(20, 64)]) + b"\xfe\xfd" + rng.randbytes(8) + pack("!H", len(body)) + body


def media(rng: random.Random) -> bytes:
    return bytes([rng.randrange(128, 192)]) + rng.randbytes(rng.randrange(80))


def anything(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(60))


@pytest.mark.parametrize("make", [stun, record, media, anything])
@pytest.mark.parametrize("lite", [False, True], ids=["full", "lite"])
async def test_no_datagram_of_anybody_raises_or_ends_the_call(
    make: Callable[[random.Random], bytes], lite: bool
) -> None:
    told, rng = Told(), random.Random(3)
    async with connected_pair({**told.options(), "lite": lite}) as (_caller, callee, channel):
        (protocol,) = protocols(callee)
        for _ in range(INPUTS // 3):
            protocol.datagram_received(make(rng), ("127.0.0.1", 9), 0.0)
        got: list[str | bytes] = []
        channel.on_message = got.append
        callee.channels[0].send("still here")
        await until(lambda: got == ["still here"])
    gc.collect()
    assert not told.failed
    assert not told.unhandled


@pytest.mark.parametrize("make", [stun, record, media, anything])
async def test_no_datagram_is_too_early(make: Callable[[random.Random], bytes]) -> None:
    """Before the answer, and while DTLS shakes hands."""
    told, rng = Told(), random.Random(4)
    caller = new_end(controlling=True, **told.options())
    callee = new_end(controlling=False, **told.options())
    of_callee, of_caller = await negotiate(caller, callee)

    async def fire() -> None:
        for _ in range(20):
            for end in (caller, callee):
                for protocol in protocols(end):
                    for _ in range(10):
                        protocol.datagram_received(make(rng), ("127.0.0.1", 9), 0.0)
            await asyncio.sleep(0)

    await asyncio.gather(caller.transport.connect(of_callee), callee.transport.connect(of_caller), fire())
    await until(lambda: caller.saw("sctp", "connected") and callee.saw("sctp", "connected"))
    await caller.transport.close()
    await callee.transport.close()
    gc.collect()
    assert not told.failed
    assert not told.unhandled
