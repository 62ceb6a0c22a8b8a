"""Faults of a call that got its answer: stuck stages and bad endings."""

from __future__ import annotations

from tests.fakes.callers import calling, quick, serving, until


async def test_dtls_silent_leaves_ice_connected() -> None:
    """The caller sees ICE come up and then nothing."""
    async with serving(quick(faults=("dtls-silent",))) as served, calling(served) as caller:
        await caller.state("ice", "connected")
        await caller.state("dtls", "failed")
        assert caller.timeline.state("channel", "open") is None


async def test_sctp_silent_leaves_dtls_connected() -> None:
    """The data channel never opens; media flows."""
    async with serving(quick(faults=("sctp-silent",))) as served, calling(served) as caller:
        await caller.state("dtls", "connected")
        await until(caller.timeline, lambda: caller.heard() or None)
        assert caller.peer.channel_state == "connecting"


async def test_channel_late_opens_after_its_time() -> None:
    """The association is answered once the time is over."""
    async with serving(quick(faults=("channel-late=0.5",))) as served, calling(served) as caller:
        connected = await caller.state("dtls", "connected")
        opened = await caller.state("channel", "open", within=10)
        assert opened.at - connected.at >= 0.45


async def test_the_channel_closes_in_mid_call() -> None:
    """The media goes on."""
    async with serving(quick(faults=("channel-closed=0.1",))) as served, calling(served) as caller:
        await caller.state("channel", "closed")
        count = len(caller.heard())
        await until(caller.timeline, lambda: len(caller.heard()) > count or None)


async def test_a_peer_that_is_gone_says_nothing() -> None:
    """No close_notify, no abort: the caller's layers still believe in the call."""
    async with serving(quick(faults=("peer-gone=0.1",))) as served, calling(served) as caller:
        await caller.event("session.created")
        [record] = served.records
        await until(record.timeline, lambda: record.state == "ended")
        assert caller.timeline.state("dtls", "closed") is None
        assert caller.peer.channel_state == "open"


async def test_a_leaked_call_lives_on_after_hang_up() -> None:
    """Until the fake is reset or stopped."""
    async with serving(quick(faults=("call-leaked",))) as served:
        async with calling(served) as caller:
            await caller.event("session.created")
        [record] = served.records
        await until(record.timeline, lambda: record.timeline.state("dtls", "closed", side="upstream"))
        assert record.state == "live"
        await served.post("/_fake/reset")
        assert record.reason == "reset"
