"""Two ends as load has them talk, by either packet path, while things are done to their network."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from harness.peer.peer import BATCH
from harness.peer.receiver import AudioReceiver
from harness.peer.rtcp import StreamStatistics
from harness.peer.sender import AudioSender
from harness.peer.source import Microphone
from tests.peer.pairs import End, connected_pair, until
from tests.peer.test_wire import Tap

pytestmark = pytest.mark.usefixtures("packet_path")  # with both


@dataclass
class Talker:
    """One end that says its name, and hears the other's."""

    end: End
    name: bytes
    heard: list[tuple[int, bytes]] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    failed: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.receiver = AudioReceiver(on_packet=self._packet)
        self.end.transport.on_rtp, self.end.transport.on_rtcp = self.receiver.rtp, self.receiver.rtcp
        self.microphone = Microphone([self.name])
        self.sender = AudioSender(
            self.end.transport,
            self.microphone,
            ahead=BATCH,
            receiver=self.receiver,
            on_begun=self.begun.append,
            on_failed=self.failed.append,
            chores=self.end.transport.flush,
        )
        self.receiver.our_ssrc = self.sender.ssrc

    def _packet(
        self, _at: float, sequence: int, _timestamp: int, payload: bytes, _stream: StreamStatistics
    ) -> None:
        self.heard.append((sequence, payload))

    @property
    def gaps(self) -> int:
        """Packets that are missing, or came twice, or out of order."""
        sequences = [sequence for sequence, _ in self.heard]
        return sum(b - a != 1 for a, b in itertools.pairwise(sequences))


@pytest.fixture
async def talkers(packet_path: str) -> AsyncIterator[tuple[Talker, Talker]]:
    async with connected_pair({"batch": BATCH}, batch=BATCH) as (caller, callee, _channel):
        assert (caller.transport.lane is not None) == (packet_path == "native")
        both = Talker(caller, b"caller"), Talker(callee, b"callee")
        for talker in both:
            talker.sender.start()
        await until(lambda: all(talker.heard for talker in both))
        yield both
        for talker in both:
            talker.sender.stop()
        assert not both[0].failed + both[1].failed


async def more(talker: Talker, packets: int = 3 * BATCH) -> None:
    """Wait until so many more were heard."""
    enough = len(talker.heard) + packets
    await until(lambda: len(talker.heard) >= enough)


async def test_they_hear_each_other_and_nothing_is_lost(talkers: tuple[Talker, Talker]) -> None:
    caller, callee = talkers
    await more(caller)
    await more(callee)
    assert {payload for _, payload in caller.heard} == {b"callee"}
    assert {payload for _, payload in callee.heard} == {b"caller"}
    for one, other in ((caller, callee), (callee, caller)):
        assert len(one.begun) == 1
        assert one.gaps == one.receiver.lost == 0
        one.sender.stop()
        await asyncio.sleep(0.05)
        other.end.transport.flush()
        assert one.sender.packets == other.receiver.packets == len(other.heard)


async def test_a_wire_that_is_put_in_gets_every_packet_from_then_on(talkers: tuple[Talker, Talker]) -> None:
    caller, callee = talkers
    wire = Tap()
    caller.end.transport.put_behind(wire)
    out, came = wire.out, wire.came
    await more(callee)
    await more(caller)
    assert wire.out - out >= 3 * BATCH
    assert wire.came - came >= 3 * BATCH
    assert caller.gaps == callee.gaps == 0


async def test_behind_a_firewall_nothing_passes_and_afterwards_all(talkers: tuple[Talker, Talker]) -> None:
    caller, callee = talkers
    lift = caller.end.transport.block()
    await asyncio.sleep(0.05)
    for talker in talkers:
        talker.end.transport.flush()
    before = len(caller.heard), len(callee.heard)
    await asyncio.sleep(0.3)
    assert (len(caller.heard), len(callee.heard)) == before
    lift()
    await more(callee)
    await more(caller)
    assert callee.gaps <= 1  # what was sent meanwhile is missing in a row
    assert {payload for _, payload in callee.heard} == {b"caller"}


async def test_from_a_new_port_the_talk_goes_on(talkers: tuple[Talker, Talker]) -> None:
    caller, callee = talkers
    assert await caller.end.transport.rebind()
    await more(callee)
    await more(caller)
    assert callee.gaps == 0


async def test_who_hears_no_checks_hears_no_talk(talkers: tuple[Talker, Talker]) -> None:
    """As `leave_checks_unanswered` has it: counted, and that is all that is done with what comes."""
    caller, callee = talkers
    caller.end.transport.leave_checks_unanswered()
    await asyncio.sleep(0.05)
    caller.end.transport.flush()
    before = len(caller.heard)
    await more(callee)
    caller.end.transport.flush()
    assert len(caller.heard) == before


async def test_what_is_said_begins_with_the_next_batch(talkers: tuple[Talker, Talker]) -> None:
    caller, callee = talkers
    caller.microphone.stopped = True
    await asyncio.sleep(0.2)
    callee.end.transport.flush()
    heard, sent = len(callee.heard), caller.sender.packets
    await asyncio.sleep(0.1)
    callee.end.transport.flush()
    assert (len(callee.heard), caller.sender.packets) == (heard, sent)
    caller.microphone.stopped = False
    await more(callee)
    assert callee.gaps == 0


async def test_a_source_that_fails_stops_its_own_stream_only(talkers: tuple[Talker, Talker]) -> None:
    caller, callee = talkers

    def fail() -> bytes:
        raise ValueError("of ours")

    caller.microphone.next_packet = fail  # type: ignore[method-assign]  # a source of the test's
    await until(lambda: caller.failed)
    assert [str(error) for error in caller.failed] == ["of ours"]
    caller.failed.clear()
    sent = caller.sender.packets
    await more(caller)
    assert caller.sender.packets == sent
    assert callee.receiver.lost == 0


async def test_a_transport_that_is_closed_under_the_talk_sends_nothing_more(
    talkers: tuple[Talker, Talker],
) -> None:
    caller, callee = talkers
    await caller.end.transport.close()
    await asyncio.sleep(0.05)
    sent = caller.sender.packets
    await asyncio.sleep(0.2)
    assert caller.sender.packets == sent
    assert len(callee.heard) <= sent  # what was under way at the close may come after it
