"""A fake of two workers behind one address behaves as one of a single process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from harness.core.audio import AUDIBLE_DBFS
from harness.core.errors import UsageError
from harness.fakes.openai.workers.front import serving_fake
from harness.fakes.openai.workers.routing import worker_of
from tests.fakes.callers import BEARER, CALLS, SESSION, Caller, Reached, calling, new_caller, quick, serving
from tests.fakes.openai.workers import crews


@pytest.fixture(scope="module")
def two() -> Iterator[str]:
    with crews.served_by_two() as served:
        yield served.url


@pytest.fixture
async def fake(two: str) -> AsyncIterator[Reached]:
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        (await client.post(f"{two}/_fake/reset", json={})).raise_for_status()
        yield Reached(two, client)


async def live(fake: Reached) -> list[int]:
    health = (await fake.client.get(f"{fake.url}/_fake/health")).json()
    assert health["live"] == sum(worker["live"] for worker in health["workers"])
    return [worker["live"] for worker in health["workers"]]


async def call_id(fake: Reached, caller: Caller) -> str:
    [call] = await fake.calls(ufrag=caller.peer.ufrag, events="0")
    return str(call["id"])


async def calls_at_both(fake: Reached, stack: AsyncExitStack) -> list[Caller]:
    """Two connected callers, one at each worker."""
    callers = [await stack.enter_async_context(calling(fake)) for _ in range(2)]
    for caller in callers:
        await caller.event("session.created")
    assert await live(fake) == [1, 1]
    return callers


async def offered(fake: Reached, **request: Any) -> int:
    """The status of an offer that nobody will connect to."""
    async with new_caller() as caller:
        return (await fake.post(CALLS, **{"files": {"sdp": (None, caller.offer)}, **request})).status_code


async def test_calls_are_spread_and_each_holds_a_conversation(fake: Reached) -> None:
    """Speech in, a turn detected, a reply heard, at either worker."""
    async with AsyncExitStack() as stack:
        callers = await calls_at_both(fake, stack)
        await asyncio.gather(*(caller.say() for caller in callers))
        for caller in callers:
            await caller.event("output_audio_buffer.stopped")
            assert [p for p in caller.heard() if p.dbfs is not None and p.dbfs > AUDIBLE_DBFS]
    ids = [call["id"] for call in await fake.calls()]
    assert {worker_of(made, 2) for made in ids} == {0, 1}


@pytest.mark.parametrize(
    ("verb", "reason"),
    [("hangup", "hangup-requested"), ("reject", "rejected-603"), ("refer", "referred")],
)
async def test_a_call_is_ended_from_outside_wherever_it_is(fake: Reached, verb: str, reason: str) -> None:
    """By its id alone, over a connection of its own."""
    async with AsyncExitStack() as stack:
        for caller in await calls_at_both(fake, stack):
            body = {"target_uri": "tel:+14155550123"} if verb == "refer" else {}
            made = await call_id(fake, caller)
            assert (await fake.post(f"{CALLS}/{made}/accept", json=SESSION)).status_code == 200
            assert (await fake.post(f"{CALLS}/{made}/{verb}", json=body)).status_code == 200
            await caller.state("dtls", "closed")
            assert [c["reason"] for c in await fake.calls(id=made)] == [reason]
            assert (await fake.post(f"{CALLS}/{made}/{verb}", json=body)).status_code == 404
        assert await live(fake) == [0, 0]


async def test_a_sideband_joins_its_call_wherever_it_is(fake: Reached) -> None:
    """A call of the other worker would not be found."""
    url = fake.url.replace("http", "ws") + "/v1/realtime?call_id="
    async with AsyncExitStack() as stack:
        callers = await calls_at_both(fake, stack)
        for caller in (*callers, *reversed(callers)):
            made = await call_id(fake, caller)
            async with connect(url + made, additional_headers=BEARER, proxy=None) as sideband:
                update = {"type": "session.update", "session": {"type": "realtime", "instructions": made}}
                await sideband.send(json.dumps(update))
                updated = await caller.event("session.updated")
                assert updated.event is not None
                assert updated.event["session"]["instructions"] == made
        with pytest.raises(InvalidStatus) as refused:
            async with connect(url + "rtc_unknown", additional_headers=BEARER, proxy=None):
                pass
        assert refused.value.response.status_code == 404


async def test_a_fault_for_one_call_hits_that_call_only(fake: Reached) -> None:
    """Whichever worker it comes to, and once."""
    for _ in range(4):
        async with new_caller() as hit:
            fault = {"name": "http-500", "ufrag": hit.peer.ufrag}
            (await fake.post("/_fake/faults", json=[fault])).raise_for_status()
            assert await offered(fake) == 201
            parts = {"sdp": (None, hit.offer)}
            assert [(await fake.post(CALLS, files=parts)).status_code for _ in range(2)] == [500, 201]
    assert (await fake.client.get(f"{fake.url}/_fake/faults")).json()["faults"] == []


async def test_a_fault_for_some_calls_is_counted_over_all_workers(fake: Reached) -> None:
    """Three of eight that come at once."""
    await fake.post("/_fake/faults", json=[{"name": "http-503", "calls": 3}])
    statuses = await asyncio.gather(*(offered(fake) for _ in range(8)))
    assert sorted(statuses) == [201] * 5 + [503] * 3
    shown = await fake.calls(events="0")
    assert [c["faults"] for c in shown if c["state"] == "ended"] == [{"http-503": True}] * 3


async def test_faults_are_replaced_and_taken_back_for_all(fake: Reached) -> None:
    """PUT and DELETE act at once on the next calls, here or there."""
    await fake.client.put(f"{fake.url}/_fake/faults", json={"http-429": 7})
    assert {await offered(fake) for _ in range(4)} == {429}
    await fake.client.delete(f"{fake.url}/_fake/faults", params={"name": "http-429"})
    assert {await offered(fake) for _ in range(4)} == {201}


async def test_a_secret_opens_calls_at_every_worker(fake: Reached) -> None:
    """At once, with the session that it was made with."""
    body = {"session": {**SESSION, "instructions": "Speak Frisian."}}
    for _ in range(2):
        made = (await fake.post("/v1/realtime/client_secrets", json=body)).json()["value"]
        headers = {"authorization": f"Bearer {made}"}
        assert [await offered(fake, headers=headers) for _ in range(4)] == [201] * 4
    assert await live(fake) == [4, 4]
    assert {c["session"]["instructions"] for c in await fake.calls()} == {"Speak Frisian."}
    await fake.post("/_fake/reset")
    assert [await offered(fake, headers=headers) for _ in range(2)] == [401] * 2


async def test_calls_of_all_workers_are_shown_together(fake: Reached) -> None:
    """Oldest first, chosen by name, id and state; a reset ends and forgets them."""
    async with AsyncExitStack() as stack:
        callers = await calls_at_both(fake, stack)
        async with new_caller() as refused:
            await fake.post(CALLS, files={"sdp": (None, refused.offer.strip())})
        names = [caller.peer.ufrag for caller in (*callers, refused)]
        assert [c["ufrag"] for c in await fake.calls()] == names
        assert [c["ufrag"] for c in await fake.calls(state="ended")] == names[2:]
        for caller in callers:
            [call] = await fake.calls(id=await call_id(fake, caller))
            assert call["ufrag"] == caller.peer.ufrag
            assert call["events"]
        await fake.post("/_fake/reset")
        for caller in callers:
            await caller.state("dtls", "closed")
        assert await fake.calls() == []


async def test_a_request_is_recorded_as_by_one_process(fake: Reached) -> None:
    """Method, URL, headers as sent and in their order, and every part, byte for byte."""
    boundary = "x" * 70
    part = f'--{boundary}\r\ncontent-disposition: form-data; name="%s"\r\nContent-Type: %s\r\n\r\n%s\r\n'
    recorded = []
    async with new_caller() as caller, serving() as alone:
        for where in (fake, alone):
            body = part % ("sdp", "application/sdp", caller.offer) + part % ("odd", "text/x", "\r\n \x00ü\n")
            headers = {
                "X-Trace": "Kept As Is",
                "Authorization": BEARER["Authorization"],
                "Content-Type": f"multipart/form-data; boundary={boundary}",
                "Host": "api.example.test",
            }
            await where.post(
                f"{CALLS}?a=%2F&b=", content=f"{body}--{boundary}--\r\n".encode(), headers=headers
            )
            [call] = await where.calls(ufrag=caller.peer.ufrag)
            request = next(e for e in call["events"] if e["kind"] == "http-request")
            recorded.append({k: v for k, v in request.items() if k != "at"})
    assert recorded[0] == recorded[1]
    assert len(recorded[0]["parts"]) == 2


async def test_a_dropped_connection_is_a_dropped_connection(fake: Reached) -> None:
    """Without a status line."""
    for _ in range(2):
        await fake.post("/_fake/faults", json=[{"name": "connection-dropped", "calls": 1}])
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await offered(fake)


async def test_silence_is_silence_and_a_hang_up_is_noticed(fake: Reached) -> None:
    """The worker learns that the client is gone, and lets go of the call."""
    await fake.post("/_fake/faults", json=[{"name": "no-answer", "calls": 1}])
    with pytest.raises(httpx.ReadTimeout):
        await offered(fake, timeout=httpx.Timeout(10, read=0.5))
    async with asyncio.timeout(5):
        while await live(fake) != [0, 0]:
            pass


async def test_a_burst_of_connections_and_a_slow_first_line_are_served(fake: Reached) -> None:
    """More at once than a worker's queue may hold; and one that comes byte by byte, whose rest comes late."""
    host, _, port = fake.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for byte in b"GET /_fake/health HTTP/1.1\r\n":
        writer.write(bytes([byte]))
        await writer.drain()
    replies = await asyncio.gather(*(fake.client.get(f"{fake.url}/v1/nothing") for _ in range(120)))
    assert {reply.status_code for reply in replies} == {404}
    assert {reply.headers["connection"] for reply in replies} == {"close"}
    writer.write(b"Host: localhost\r\n\r\n")
    assert b'"status":"ok"' in await reader.read()
    writer.close()
    await writer.wait_closed()


async def test_a_page_and_a_live_session_are_served(fake: Reached) -> None:
    """A WebSocket of its own, GPT-Live, a preflight."""
    url = fake.url.replace("http", "ws") + "/v1/realtime?model=gpt-realtime-2.1"
    for _ in range(2):
        async with connect(url, additional_headers=BEARER, proxy=None) as socket:
            assert json.loads(await socket.recv())["type"] == "session.created"
    async with new_caller() as caller:
        transport = {"type": "webrtc", "sdp": caller.offer}
        body = {"session": {"type": "live", "model": "gpt-live-1"}, "transport": transport}
        made = (await fake.post("/v1/live/sessions", json=body)).json()
        caller.accept(made["transport"]["sdp"])
        await caller.event("session.started")
        ended = await fake.post(f"/v1/live/sessions/{made['session']['id']}/hangup")
        assert ended.status_code == 200
    headers = {"origin": "https://app.test", "access-control-request-method": "POST"}
    assert (await fake.client.options(fake.url + CALLS, headers=headers)).status_code == 200


@pytest.mark.parametrize("path", ["/_fake/health", "/%5ffake/health", "/_fake/faults"])
async def test_management_is_the_fronts_alone(fake: Reached, path: str) -> None:
    """However it is written, and nothing else is there."""
    assert (await fake.client.get(fake.url + path)).status_code == 200
    assert (await fake.client.get(f"{fake.url}/_fake/nothing")).status_code == 404


@pytest.mark.parametrize(
    ("changes", "workers"), [({"voice": "nonsense"}, 2), ({"faults": ("nonsense",)}, 2), ({}, 0), ({}, 65)]
)
async def test_what_cannot_be_served_is_a_usage_error(changes: dict[str, Any], workers: int) -> None:
    """And leaves no task."""
    with pytest.raises(UsageError):
        async with serving_fake(quick(**changes), workers=workers):
            pass
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_where_connections_cannot_be_handed_over_there_is_one_process_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HARNESS_PLAIN_PLATFORM", "1")
    said: list[str] = []
    async with (
        serving_fake(quick(), workers=3, report=said.append) as url,
        httpx.AsyncClient(trust_env=False, timeout=10.0) as client,
    ):
        health = (await client.get(f"{url}/_fake/health")).json()
    assert "workers" not in health
    assert said == ["this system hands no connection to another process: the fake has one, not 3 (use WSL)"]
