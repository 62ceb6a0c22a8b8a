"""What the fake takes from callers: checks without USE-CANDIDATE for a while, and chunks that are none."""

from __future__ import annotations

import asyncio

import aioice.ice
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from harness.core.events import ChecksCounted, HarnessFailed, PacketMalformed
from harness.core.sdp import parse_sdp
from harness.peer import transport
from harness.peer.consent import ConsentTimes
from tests.fakes.callers import BEARER, CALLS, SESSION, Served, calling, quick, serving, until

SHORT_CHUNK = bytes.fromhex("0003000800000001")


@pytest.fixture
def quick_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of our own caller, and of aiortc's."""
    monkeypatch.setattr(transport, "RFC_7675", ConsentTimes(check=0.05, expiry=5.0))
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.05)
    monkeypatch.setattr(aioice.ice, "CONSENT_FAILURES", 3)


@pytest.mark.usefixtures("quick_consent")
async def test_our_caller_outlives_its_patience() -> None:
    async with serving(quick(ice_patience=0.2)) as served, calling(served, SESSION) as caller:
        await caller.event("session.created")
        async with asyncio.timeout(30.0):
            while (counted := counted_by(served)).replied < 20:  # a second
                await asyncio.sleep(0.05)
        assert counted.replied == counted.received
        assert counted.sent == 0
        assert caller.timeline.state("ice", "failed") is None


@pytest.mark.usefixtures("quick_consent")
@pytest.mark.parametrize(("patience", "end"), [(0.2, "closed"), (None, "open")])
async def test_a_plain_caller_of_aiortc_is_lost_where_the_patience_is_not_off(
    patience: float | None, end: str
) -> None:
    async with serving(quick(ice_patience=patience)) as served:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.addTransceiver("audio")
        channel = connection.createDataChannel("oai-events")
        opened, closed = asyncio.Event(), asyncio.Event()
        channel.on("open", opened.set)
        channel.on("close", closed.set)
        await connection.setLocalDescription(await connection.createOffer())
        offer = connection.localDescription.sdp
        answer = await served.post(CALLS, files={"sdp": (None, offer, "application/sdp")}, headers=BEARER)
        assert parse_sdp(answer.text).ice_lite
        await connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        async with asyncio.timeout(20.0):
            await opened.wait()
            if end == "closed":
                await closed.wait()
            else:
                [record] = served.records
                while counted_by(served).replied < 60:
                    await asyncio.sleep(0.05)
                assert record.state != "ended"
        assert channel.readyState == end
        await connection.close()


def counted_by(served: Served) -> ChecksCounted:
    [record] = served.records
    assert record.counted is not None
    return next(event for event in record.counted() if isinstance(event, ChecksCounted))


async def test_a_chunk_that_is_none_ends_neither_its_call_nor_another(served: Served) -> None:
    async with calling(served, SESSION) as hostile, calling(served, SESSION) as other:
        await asyncio.gather(hostile.event("session.created"), other.event("session.created"))
        hostile.peer._transport.send_chunk(SHORT_CHUNK)
        for caller in (hostile, other):
            caller.peer.send(
                {"type": "session.update", "session": {"type": "realtime", "instructions": "Hi."}}
            )
            await caller.event("session.updated")
        first, second = served.records
        [malformed] = first.timeline.all(PacketMalformed, side="upstream")
        assert malformed.problem == "a DATA chunk of 8 bytes, where 17 are the least"
        assert not second.timeline.all(PacketMalformed, side="upstream")
    for record in served.records:
        await until(record.timeline, lambda record=record: record.state == "ended")  # type: ignore[misc]  # bound now
        assert record.reason == "hang-up"
        assert record.timeline.first(HarnessFailed, side="upstream") is None
