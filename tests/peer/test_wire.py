"""A wire between real sockets: every kind of datagram goes over it, from any moment of the call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from harness.peer.aiortc_internals import protocols_of
from tests.peer.pairs import End, connected_pair, negotiate, new_end, until

pytestmark = pytest.mark.usefixtures("packet_path")  # with both

MEDIA = bytes.fromhex("806f0001000003e800000457") + b"payload"


@dataclass
class Tap:
    """Passes everything on at once, or nothing while cut."""

    cut: bool = False
    out: int = 0
    came: int = 0
    flushed: int = 0
    held: list[Callable[[], object]] = field(default_factory=list)

    def outgoing(self, size: int, pass_on: Callable[[], object]) -> None:
        assert size > 0
        self.out += 1
        if not self.cut:
            pass_on()

    def incoming(self, size: int, pass_on: Callable[[], object]) -> None:
        assert size > 0
        self.came += 1
        if not self.cut:
            pass_on()

    def flush(self) -> None:
        self.flushed += 1


def local_port(end: End) -> int:
    (protocol,) = protocols_of(end.transport._agent)
    return int(protocol.transport.get_extra_info("sockname")[1])


async def test_a_call_connects_over_a_wire_that_was_there_before_it() -> None:
    caller, callee = new_end(controlling=True), new_end(controlling=False)
    wire = Tap()
    caller.transport.put_behind(wire)
    channel = caller.transport.open_channel("oai-events")
    of_callee, of_caller = await negotiate(caller, callee)
    await asyncio.gather(caller.transport.connect(of_callee), callee.transport.connect(of_caller))
    await until(lambda: channel.state == "open")
    assert wire.out > 5
    assert wire.came > 5
    await caller.transport.close()
    await callee.transport.close()
    assert wire.flushed == 1
    assert callee.saw("dtls", "closed")


async def test_a_wire_put_in_mid_call_carries_media_and_messages_once() -> None:
    async with connected_pair() as (caller, callee, channel):
        rtp: list[bytes] = []
        heard: list[str | bytes] = []
        callee.transport.on_rtp = lambda packet, _at: rtp.append(packet)
        callee.channels[0].on_message = heard.append
        wire = Tap()
        caller.transport.put_behind(wire)
        caller.transport.put_behind(Tap(cut=True))  # the first one stays
        await until(lambda: caller.transport.send_rtp(MEDIA))
        await until(lambda: rtp)
        assert wire.out == 1
        channel.send("hello")
        await until(lambda: heard == ["hello"])
        wire.cut = True
        sent = wire.out
        assert caller.transport.send_rtp(MEDIA)
        assert wire.out == sent + 1
        callee.transport.send_rtp(MEDIA)
        wire.cut = False
        channel.send("still there")
        await until(lambda: "still there" in heard)
        assert len(rtp) == 1


async def test_after_rebinding_the_call_goes_on_from_another_port() -> None:
    """The reference peer learns the new address from the check (RFC 8445, section 7.3.1.3)."""
    async with connected_pair() as (caller, callee, channel):
        back: list[bytes] = []
        heard: list[str | bytes] = []
        caller.transport.on_rtp = lambda packet, _at: back.append(packet)
        callee.channels[0].on_message = heard.append
        before = local_port(caller)
        assert await caller.transport.rebind()
        assert local_port(caller) != before
        await until(lambda: callee.transport.send_rtp(MEDIA) and back)
        channel.send("from the new port")
        await until(lambda: heard == ["from the new port"])
        assert not caller.saw("dtls", "closed")


async def test_rebinding_under_a_wire_stays_under_it_and_what_is_not_followed_is_told() -> None:
    async with connected_pair() as (caller, _callee, _channel):
        wire = Tap(cut=True)
        caller.transport.put_behind(wire)
        rebinding = asyncio.create_task(caller.transport.rebind())
        await until(lambda: wire.out)
        wire.cut = False
        assert await rebinding  # a repeated check got through
        wire.cut = True


async def test_a_transport_that_is_not_connected_cannot_rebind() -> None:
    end = new_end(controlling=True)
    await end.transport.gather()
    assert await end.transport.rebind() is False
    await end.transport.close()


async def test_a_block_is_lifted_without_undoing_what_came_meanwhile() -> None:
    """A firewall, then a bad network, then the firewall goes: the bad network stays."""
    async with connected_pair() as (caller, callee, channel):
        heard: list[str | bytes] = []
        callee.channels[0].on_message = heard.append
        lift = caller.transport.block()
        wire = Tap()
        caller.transport.put_behind(wire)
        assert caller.transport.send_rtp(MEDIA)
        callee.transport.send_rtp(MEDIA)
        assert (wire.out, wire.came) == (0, 0)
        lift()
        channel.send("over the wire")
        await until(lambda: heard == ["over the wire"])
        assert wire.out > 0
        assert wire.came > 0


async def test_an_end_behind_a_wire_can_be_blocked_and_freed_again_and_again() -> None:
    async with connected_pair() as (caller, callee, _channel):
        rtp: list[bytes] = []
        callee.transport.on_rtp = lambda packet, _at: rtp.append(packet)
        wire = Tap()
        caller.transport.put_behind(wire)
        lifts = [caller.transport.block(), caller.transport.block()]
        caller.transport.send_rtp(MEDIA)
        assert wire.out == 0
        for lift in lifts:
            lift()
        assert caller.transport.send_rtp(MEDIA)
        await until(lambda: rtp)
        assert wire.out == 1
        assert len(rtp) == 1


async def test_what_is_under_way_when_an_end_is_blocked_does_not_come_in() -> None:
    class Slow(Tap):
        def incoming(self, size: int, pass_on: Callable[[], object]) -> None:
            self.came += size > 0
            self.held.append(pass_on)

    async with connected_pair() as (caller, callee, _channel):
        rtp: list[bytes] = []
        caller.transport.on_rtp = lambda packet, _at: rtp.append(packet)
        wire = Slow()
        caller.transport.put_behind(wire)
        await until(lambda: callee.transport.send_rtp(MEDIA) and wire.held)
        lift = caller.transport.block()
        for pass_on in wire.held:
            pass_on()
        assert not rtp
        lift()
        for pass_on in wire.held:
            pass_on()
        assert rtp
