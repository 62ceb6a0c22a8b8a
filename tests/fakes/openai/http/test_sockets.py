"""WebSocket: upgrades refused, closes, clients that misbehave. Conversations: see test_official_client."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from harness.core.audio import AUDIBLE_DBFS
from harness.core.probes import SESSION_EXPIRED
from tests.fakes.callers import BEARER, CALLS, KEY, Served, new_caller, quick, serving, until


def socket(served: Served, query: str = "?model=gpt-realtime-2.1", **options: Any) -> connect:
    url = served.url.replace("http", "ws") + "/v1/realtime" + query
    return connect(url, **{"additional_headers": BEARER, "proxy": None, **options})


async def received(connection: ClientConnection) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(await connection.recv())
    return event


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("?model=gpt-realtime-2.1", {}, 401, None),
        ("", BEARER, 400, "missing_model"),
        ("?model=gpt-4o-realtime-preview", BEARER, 404, "model_not_found"),
        ("?model=gpt-9-realtime", BEARER, 404, "model_not_found"),
        ("?call_id=rtc_unknown", BEARER, 404, "call_id_not_found"),
    ],
)
async def test_an_upgrade_is_refused_in_the_apis_shape(
    served: Served, query: str, headers: dict[str, str], status: int, code: str | None
) -> None:
    """With the status and body of an HTTP refusal."""
    with pytest.raises(InvalidStatus) as refused:
        async with socket(served, query, additional_headers=headers):
            pass
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body or b"")["error"]["code"] == code


async def test_a_page_brings_its_key_as_a_subprotocol(served: Served) -> None:
    """Browsers cannot set headers on a WebSocket."""
    protocols = ["realtime", f"openai-insecure-api-key.{KEY}"]
    async with socket(served, additional_headers={}, subprotocols=protocols) as connection:
        assert connection.subprotocol == "realtime"
        assert (await received(connection))["type"] == "session.created"


async def test_the_beta_header_ends_in_one_error_and_a_close(served: Served) -> None:
    """As reported: the upgrade succeeds, one error, close 4000."""
    headers = {**BEARER, "openai-beta": "realtime=v1"}
    async with socket(served, additional_headers=headers) as connection:
        event = await received(connection)
        assert (event["type"], event["error"]["code"]) == ("error", "beta_api_shape_disabled")
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4000


async def test_what_is_no_event_is_answered_by_one_error(served: Served) -> None:
    """Text that is no JSON, binary, JSON that is no object."""
    async with socket(served) as connection:
        await received(connection)
        for message in ("{", b"\x00\xff", "[]"):
            await connection.send(message)
            assert (await received(connection))["error"]["code"] == "invalid_json"


async def test_an_expired_session_closes_with_1001() -> None:
    """After its error event."""
    settings = quick(conversation={"session_seconds": 0.2})
    async with serving(settings) as served, socket(served) as connection:
        await received(connection)
        assert (await received(connection))["error"]["code"] == "session_expired"
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        [record] = served.records
        await until(record.timeline, lambda: record.state == "ended")
        assert SESSION_EXPIRED in record.reason


async def test_a_fault_over_http_refuses_the_upgrade(served: Served) -> None:
    """The same refusals as for an offer."""
    await served.client.put(f"{served.url}/_fake/faults", json={"http-429": 5})
    with pytest.raises(InvalidStatus) as refused:
        async with socket(served):
            pass
    assert refused.value.response.status_code == 429
    assert served.records[0].reason == "refused-429"


async def test_a_socket_is_a_call_that_can_be_ended(served: Served) -> None:
    """By a reset as by the client."""
    async with socket(served) as connection:
        await received(connection)
        [record] = served.records
        await served.post("/_fake/reset")
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        assert record.state == "ended"


async def test_audio_is_recorded_by_its_length_only(served: Served) -> None:
    """A record is no recording."""
    async with socket(served) as connection:
        await received(connection)
        await connection.send(json.dumps({"type": "input_audio_buffer.append", "audio": "AAAA" * 1000}))
        await connection.send(json.dumps({"type": "input_audio_buffer.clear"}))
        while (await received(connection))["type"] != "input_audio_buffer.cleared":
            pass
        [record] = served.records
        assert "AAAAAAAA" not in record.timeline.to_jsonl()
        assert "(4000 characters of base64)" in record.timeline.to_jsonl()


async def test_the_sideband_works_before_the_media_is_up(served: Served) -> None:
    """It is greeted by nothing, and what it changes is there when the channel opens."""
    async with new_caller() as caller:
        response = await served.post(CALLS, files={"sdp": (None, caller.offer, "application/sdp")})
        [record] = served.records
        async with socket(served, f"?call_id={record.id}") as sideband:
            session = {"type": "realtime", "instructions": "Steered."}
            await sideband.send(json.dumps({"type": "session.update", "session": session}))
            assert (await received(sideband))["type"] == "session.updated"
            caller.accept(response.text)
            created = await caller.event("session.created")
            assert created.event is not None
            assert created.event["session"]["instructions"] == "Steered."
            assert created.event["session"]["id"] == f"sess_{record.id.removeprefix('rtc_')}"


async def test_what_a_sideband_has_said_before_the_media_is_up_is_not_heard(served: Served) -> None:
    """A greeting that is asked for too early has lost its first words when the caller can hear."""
    async with new_caller() as caller:
        response = await served.post(CALLS, files={"sdp": (None, caller.offer, "application/sdp")})
        [record] = served.records
        async with socket(served, f"?call_id={record.id}") as sideband:
            await sideband.send(json.dumps({"type": "response.create"}))
            while (await received(sideband))["type"] != "output_audio_buffer.started":
                pass
            await asyncio.sleep(0.2)  # of it, which nobody hears
            caller.accept(response.text)
            while (await received(sideband))["type"] != "output_audio_buffer.stopped":
                pass
        loud = [packet for packet in caller.heard() if (packet.dbfs or -96.0) > AUDIBLE_DBFS]
        assert len(loud) * 20 <= 1500 - 100, "the reply is 1500 ms long"


async def test_one_report_has_it_that_a_sideband_is_not_found_before_the_media_is_up() -> None:
    async with serving(quick(sideband_waits_for_media=True)) as served, new_caller() as caller:
        response = await served.post(CALLS, files={"sdp": (None, caller.offer, "application/sdp")})
        [record] = served.records
        with pytest.raises(InvalidStatus) as refused:
            async with socket(served, f"?call_id={record.id}"):
                pass
        assert refused.value.response.status_code == 404
        caller.accept(response.text)
        await caller.event("session.created")
        async with socket(served, f"?call_id={record.id}"):
            pass
