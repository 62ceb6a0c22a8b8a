"""The open load itself: what is due is sent, and timed from when it was due, whoever stands still."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack

import pytest

from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.clock import MonotonicClock
from harness.load.arrivals.arriving import Arriving, SampledOffer
from harness.load.arrivals.offers import PreparedOffer, PreparedOffers
from harness.load.arrivals.sending import WholeReply, open_posting

RATE, STALL = 100, 0.5  # a second; s
ANSWER = (
    "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:{name}\r\na=ice-pwd:{name}{name}\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
)


class Stalling:
    """Answers at once, except that nobody is answered between two moments."""

    def __init__(self, begin: float, end: float) -> None:
        self.clock = MonotonicClock()
        origin = self.clock.now()
        self.begin, self.end = origin + begin, origin + end
        self.rng = random.Random(1)

    async def ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> WholeReply:
        if self.begin <= self.clock.now() < self.end:
            await asyncio.sleep(self.end - self.clock.now())
        name = f"{self.rng.getrandbits(64):x}"
        return WholeReply(201, {"location": f"/calls/{name}"}, ANSWER.format(name=name).encode())


def arriving(posting: object, told: list[tuple[str, str]] | None = None) -> Arriving:
    made: list[tuple[str, str]] = [] if told is None else told

    def accepted(offer: PreparedOffer, location: str) -> None:
        made.append((offer.ufrag, location))

    return Arriving(
        Target("http://127.0.0.1:9/offer"),
        posting,  # type: ignore[arg-type]  # a stand-in of either kind
        PreparedOffers("chromium", random.Random(2)),
        MonotonicClock(),
        accepted,
    )


EVENLY = [n / RATE for n in range(int(1.5 * RATE))]


async def test_a_stall_of_the_target_is_felt_by_all_who_were_due_in_it() -> None:
    """A closed load would have one slow offer: whoever waits asks for nothing more (coordinated omission)."""
    told: list[tuple[str, str]] = []
    tally = await arriving(Stalling(0.5, 0.5 + STALL), told).offer(EVENLY, 0.0)
    assert (tally.due, len(tally.seconds), tally.failures.total()) == (150, 150, 0)
    slow = [s for s in tally.seconds if s > 0.1]
    # Due in the stall, and 0.1 s or more before its end; a busy machine adds to them and takes none away.
    assert len(slow) >= 0.9 * RATE * (STALL - 0.1)
    assert max(tally.seconds) >= 0.95 * STALL
    assert tally.most_waiting >= 0.9 * RATE * STALL
    assert len({ufrag for ufrag, _ in told}) == 150


async def test_a_stall_of_our_own_is_in_the_time_from_when_offers_were_due_and_is_told_as_ours() -> None:
    asyncio.get_running_loop().call_later(0.5, time.sleep, STALL)
    tally = await arriving(Stalling(9, 9)).offer(EVENLY, 0.0)
    slow = [(s, work) for s, work in zip(tally.seconds, tally.at_work, strict=True) if s > 0.1]
    assert len(slow) >= 0.9 * RATE * (STALL - 0.1)
    assert sum(work for _, work in slow) < 0.7 * sum(s for s, _ in slow), "the target was quick"
    assert max(tally.late) >= 1000 * 0.95 * STALL


async def test_what_is_due_before_it_has_settled_is_sent_and_not_counted() -> None:
    told: list[tuple[str, str]] = []
    tally = await arriving(Stalling(9, 9), told).offer([0.0, 0.01, 0.05, 0.06], 0.04)
    assert (tally.due, len(told)) == (2, 4)


@pytest.mark.parametrize("how", [{"keep_alive": True}, {"keep_alive": False}])
async def test_connections_are_kept_or_made_anew(how: dict[str, bool]) -> None:
    connections: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        while head := await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
            answer = ANSWER.format(name=f"{len(served):08d}").encode()
            served.append(1)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
            if not how["keep_alive"]:
                break
            if len(served) == 5:
                break
        writer.close()

    served: list[int] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    target = Target(f"http://127.0.0.1:{port}/offer")
    async with server, AsyncExitStack() as stack:
        posting = await open_posting(stack, target, Timeouts(), http2=False, **how)
        load = Arriving(
            target, posting, PreparedOffers("minimal", random.Random(3)), MonotonicClock(), lambda *_: None
        )
        # Each once the one before has its answer: two at a time need two connections.
        tallies = [await load.offer([0.0], 0.0) for _ in range(5)]
    assert sum(tally.failures.total() for tally in tallies) == 0
    assert len(connections) == (1 if how["keep_alive"] else 5)


async def test_nobody_there_and_a_cut_connection_are_failures_in_words() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, AsyncExitStack() as stack:
        target = Target(f"http://127.0.0.1:{port}/offer")
        posting = await open_posting(stack, target, Timeouts(), keep_alive=True, http2=False)
        reply = await posting.ask("POST", target.url, b"x", {})
        assert reply.failure == "the connection was cut"
        server.close()
        assert (await posting.ask("POST", target.url, b"x", {})).failure == "nobody listens"


async def test_the_time_that_judging_a_sample_takes_us_is_not_the_targets() -> None:
    """It counts as answered, and in no percentile."""

    async def slowly() -> SampledOffer:
        await asyncio.sleep(0.5)
        return SampledOffer("", 201)

    samples = iter([slowly()])
    sending = arriving(Stalling(9, 9))
    sending._instead = lambda _offer: next((asyncio.ensure_future(each) for each in samples), None)
    tally = await sending.offer([0.0, 0.01, 0.02], 0.0)
    assert (len(tally.seconds), tally.untimed, tally.statuses[201]) == (2, 1, 3)
    assert tally.window().calls == 3
