from __future__ import annotations

import asyncio
import dataclasses
import gc
from typing import Any

import pytest

from harness.core.caller_end import ChannelClosedError
from harness.peer.peer import BATCH
from harness.peer.remote import Remote
from tests.peer.pairs import connected_pair, negotiate, new_end, until

pytestmark = pytest.mark.usefixtures("packet_path")  # with both


def media(number: int) -> bytes:
    """A plain RTP packet."""
    return b"\x80\x6f" + number.to_bytes(2, "big") + bytes.fromhex("000003e800000457") + b"payload"


async def test_two_ends_connect_stage_by_stage_in_the_order_of_webrtc() -> None:
    async with connected_pair() as (caller, _callee, channel):
        reached = [(layer, state) for layer, state, _ in caller.states]
        order = [
            ("gathering", "complete"),
            ("ice", "checking"),
            ("ice", "connected"),
            ("dtls", "connected"),
            ("sctp", "connected"),
        ]
        assert [entry for entry in reached if entry in order] == order
        assert channel.state == "open"


async def test_messages_pass_both_ways_whole_and_in_order() -> None:
    async with connected_pair() as (_caller, callee, channel):
        there: list[str | bytes] = []
        back: list[str | bytes] = []
        callee.channels[0].on_message = there.append
        channel.on_message = back.append
        sent = ["short", "ñandú", "x" * 100_000]
        for message in sent:
            channel.send(message)
            callee.channels[0].send(message)
        await until(lambda: len(there) == 3 and len(back) == 3)
        assert there == back == sent


async def test_rtp_and_rtcp_arrive_decrypted_and_told_apart() -> None:
    async with connected_pair() as (caller, callee, _channel):
        rtp: list[bytes] = []
        rtcp: list[bytes] = []
        callee.transport.on_rtp = lambda packet, _at: rtp.append(packet)
        callee.transport.on_rtcp = lambda packet, _at: rtcp.append(packet)
        media = bytes.fromhex("806f0001000003e800000457") + b"payload"
        report = bytes.fromhex("80c9000100000457")
        await until(lambda: callee.transport.send_rtp(media))
        assert caller.transport.send_rtp(media)
        assert caller.transport.send_rtcp(report)
        await until(lambda: rtp and rtcp)
        assert (rtp, rtcp) == ([media], [report])


async def test_no_media_passes_what_is_blocked_until_that_is_lifted() -> None:
    async with connected_pair() as (caller, callee, _channel):
        there: list[bytes] = []
        back: list[bytes] = []
        callee.transport.on_rtp = lambda packet, _at: there.append(packet)
        caller.transport.on_rtp = lambda packet, _at: back.append(packet)
        await until(lambda: callee.transport.send_rtp(media(0)) and back)
        lift = caller.transport.block()
        caller.transport.send_rtp(media(1))
        callee.transport.send_rtp(media(1))
        await asyncio.sleep(0.1)
        lift()
        assert caller.transport.send_rtp(media(2))
        assert callee.transport.send_rtp(media(2))
        await until(lambda: media(2) in there and media(2) in back)
        assert media(1) not in [*there, *back]


@pytest.mark.parametrize("batch", [3, BATCH])
async def test_what_is_opened_together_comes_in_order_and_the_rest_when_it_is_settled(batch: int) -> None:
    async with connected_pair(batch=batch) as (caller, callee, _channel):
        came: list[tuple[bytes, float]] = []
        caller.transport.on_rtp = lambda packet, at: came.append((packet, at))
        await until(lambda: callee.transport.send_rtp(media(0)))
        for number in range(1, batch + 1):
            assert callee.transport.send_rtp(media(number))
        await until(lambda: len(came) == batch)
        async with asyncio.timeout(5):
            while len(came) < batch + 1:
                caller.transport.flush()
                await asyncio.sleep(0.005)
        assert [packet for packet, _ in came] == [media(number) for number in range(batch + 1)]
        arrivals = [at for _, at in came]
        assert arrivals == sorted(arrivals)


async def test_media_is_refused_before_the_transport_is_up() -> None:
    end = new_end(controlling=True)
    await end.transport.gather()
    assert end.transport.send_rtp(bytes(20)) is False
    await end.transport.close()


async def test_sending_on_a_closed_channel_says_so() -> None:
    async with connected_pair() as (caller, _callee, channel):
        await caller.transport.close()
        with pytest.raises(ChannelClosedError, match="closed"):
            channel.send("too late")


async def test_one_end_closing_is_seen_by_the_other() -> None:
    async with connected_pair() as (caller, callee, _channel):
        await caller.transport.close()
        await until(lambda: callee.channels[0].state == "closed" and callee.saw("dtls", "closed"))


async def test_a_wrong_fingerprint_fails_dtls_and_both_digests_are_told() -> None:
    caller, callee = new_end(controlling=True), new_end(controlling=False)
    of_callee, of_caller = await negotiate(caller, callee)
    wrong = dataclasses.replace(of_callee, fingerprints=(("sha-256", "00:" * 31 + "00"),))
    await asyncio.gather(caller.transport.connect(wrong), callee.transport.connect(of_caller))
    failed = [detail for layer, state, detail in caller.states if (layer, state) == ("dtls", "failed")]
    assert "00:00" in failed[0]
    assert caller.transport.fingerprint in failed[0]  # both ends share the process's certificate
    assert not caller.saw("sctp", "connecting")
    await caller.transport.close()
    await callee.transport.close()


async def test_wrong_ice_credentials_are_refused_and_counted() -> None:
    caller, callee = new_end(controlling=True), new_end(controlling=False)
    of_callee, _of_caller = await negotiate(caller, callee)
    wrong = dataclasses.replace(of_callee, pwd="w" * 24)
    assert await caller.transport.start_ice(wrong, within=1.0) is False
    assert caller.transport.checks.refused > 0
    assert caller.transport.checks.answered == 0
    await caller.transport.close()
    await callee.transport.close()


async def test_checks_that_nobody_answers_time_out() -> None:
    caller, callee = new_end(controlling=True), new_end(controlling=False)
    of_callee, _ = await negotiate(caller, callee)
    await callee.transport.close()
    assert await caller.transport.start_ice(of_callee, within=0.5) is False
    assert ("ice", "failed") in [entry[:2] for entry in caller.states]
    assert caller.transport.checks.sent > 0
    assert caller.transport.checks.answered == 0
    await caller.transport.close()


async def test_what_is_blocked_neither_hears_nor_speaks_until_that_is_lifted() -> None:
    caller, callee = new_end(controlling=True), new_end(controlling=False)
    of_callee, of_caller = await negotiate(caller, callee)
    lift = callee.transport.block()
    connecting = asyncio.gather(
        caller.transport.start_ice(of_callee, within=10.0), callee.transport.start_ice(of_caller, within=10.0)
    )
    await until(lambda: caller.transport.checks.sent > 1)
    assert callee.transport.checks.received == callee.transport.checks.sent == 0
    assert caller.transport.checks.received == 0
    lift()
    assert all(await connecting)
    await caller.transport.close()
    await callee.transport.close()


async def test_checks_can_be_heard_and_left_unanswered() -> None:
    caller, callee = new_end(controlling=True), new_end(controlling=False)
    of_callee, _ = await negotiate(caller, callee)
    callee.transport.leave_checks_unanswered()
    assert await caller.transport.start_ice(of_callee, within=1.0) is False
    assert callee.transport.checks.received > 0
    assert caller.transport.checks.answered == 0
    await caller.transport.close()
    await callee.transport.close()


async def test_no_candidates_at_all_fail_ice_at_once() -> None:
    caller, callee = new_end(controlling=True), new_end(controlling=False)
    of_callee, _ = await negotiate(caller, callee)
    assert (
        await caller.transport.start_ice(dataclasses.replace(of_callee, candidates=()), within=5.0) is False
    )
    assert caller.transport.checks.sent == 0
    await caller.transport.close()
    await callee.transport.close()


async def test_a_handshake_that_never_ends_is_given_up() -> None:
    caller, callee = new_end(controlling=True), new_end(controlling=False)
    of_callee, of_caller = await negotiate(caller, callee)
    await asyncio.gather(caller.transport.start_ice(of_callee), callee.transport.start_ice(of_caller))
    assert await caller.transport.start_dtls(of_callee, within=0.3) is False
    assert ("dtls", "failed", "no handshake within 0.3 s") in caller.states
    await caller.transport.close()
    await callee.transport.close()


@pytest.mark.parametrize("stage", ["new", "gathered", "checking", "connected"])
async def test_closing_at_any_stage_leaves_no_task_and_no_socket(stage: str) -> None:
    before = asyncio.all_tasks()
    caller, callee = new_end(controlling=True), new_end(controlling=False)
    caller.transport.open_channel("oai-events")
    connecting: asyncio.Task[None] | None = None
    if stage != "new":
        of_callee, of_caller = await negotiate(caller, callee)
        if stage == "checking":
            connecting = asyncio.create_task(caller.transport.connect(of_callee))
            await until(lambda: caller.saw("ice", "checking"))
        if stage == "connected":
            await asyncio.gather(caller.transport.connect(of_callee), callee.transport.connect(of_caller))
            await until(lambda: caller.saw("sctp", "connected"))
    if connecting is not None:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
    await caller.transport.close()
    await caller.transport.close()
    await callee.transport.close()
    await until(lambda: asyncio.all_tasks() <= before)


def test_an_answering_end_knows_the_role_the_offerer_was_left_with() -> None:
    offered = Remote("u", "p", (), (), "actpass", 5000, 0, ice_lite=False, payload_type=111)
    assert offered.answered("active").setup == "passive"
    assert offered.answered("passive").setup == "active"


async def test_a_channel_that_is_closed_after_dtls_is_gone_leaves_no_failed_task_behind() -> None:
    """As at the end of a call whose other end hung up, and whose abort of the association was lost."""
    loop, failed = asyncio.get_running_loop(), list[dict[str, Any]]()
    async with connected_pair() as (caller, _callee, channel):
        loop.set_exception_handler(lambda _loop, context: failed.append(context))
        caller.transport._dtls.stop()
        channel.close()
        await asyncio.sleep(0.01)
        gc.collect()
    assert not failed
