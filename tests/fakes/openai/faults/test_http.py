"""The fake's refusals over HTTP, each provoked by name and for one call only."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.fakes.callers import CALLS, Served, new_caller


async def post_offer(served: Served, offer: str, **fault: object) -> httpx.Response:
    await served.post("/_fake/faults", json=[fault])
    return await served.post(CALLS, files={"sdp": (None, offer, "application/sdp")})


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("http-401", 401, "invalid_api_key"),
        ("http-400", 400, "invalid_offer"),
        ("http-404", 404, "model_not_found"),
        ("model-not-allowed", 403, "model_not_found"),
        ("session-too-long", 400, "string_above_max_length"),
        ("http-400-empty", 400, None),
        ("http-429", 429, "insufficient_quota"),
        ("http-500", 500, "server_error"),
        ("http-503", 503, None),
    ],
)
async def test_a_refusal_has_its_status_and_code(
    served: Served, fault: str, status: int, code: str | None
) -> None:
    """Relays map these; a wrong code would teach them wrongly."""
    async with new_caller() as caller:
        response = await post_offer(served, caller.offer, name=fault)
        assert (response.status_code, response.json()["error"]["code"]) == (status, code)
        assert (served.records[0].state, served.records[0].reason) == ("ended", f"refused-{status}")


async def test_a_quota_refusal_says_when_to_come_back(served: Served) -> None:
    """Retry-After carries the fault's value."""
    async with new_caller() as caller:
        response = await post_offer(served, caller.offer, name="http-429", value=7)
        assert response.headers["retry-after"] == "7"


async def test_a_gateway_timeout_is_a_page(served: Served) -> None:
    """A relay that expects JSON in every error must be caught out."""
    async with new_caller() as caller:
        response = await post_offer(served, caller.offer, name="http-504")
        assert (response.status_code, response.headers["content-type"]) == (504, "text/html; charset=utf-8")


async def test_a_slow_answer_is_an_answer(served: Served) -> None:
    """It comes late, and then the call is like any other."""
    async with new_caller() as caller:
        response = await post_offer(served, caller.offer, name="slow-answer", value=0.3)
        assert response.status_code == 201
        assert response.elapsed.total_seconds() >= 0.3


async def test_no_answer_lasts_until_the_client_gives_up(served: Served) -> None:
    """The attempt is recorded as ended once the client is gone."""
    async with new_caller() as caller:
        await served.post("/_fake/faults", json={"no-answer": None})
        # Only reading is given up soon: a machine that is slow to connect would end another way.
        soon = httpx.Timeout(10, read=0.2)
        with pytest.raises(httpx.ReadTimeout):
            await served.post(CALLS, files={"sdp": (None, caller.offer, "application/sdp")}, timeout=soon)
        async with asyncio.timeout(5):
            while served.fake.calls.records.live:
                await asyncio.sleep(0.01)


async def test_a_dropped_connection_is_no_response(served: Served) -> None:
    """Not even a status line may come."""
    async with new_caller() as caller:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await post_offer(served, caller.offer, name="connection-dropped")


async def test_a_fault_for_one_call_leaves_others_alone(served: Served) -> None:
    """The offer's ufrag addresses it; it is gone when it has hit."""
    async with new_caller() as hit, new_caller() as missed:
        await served.post("/_fake/faults", json=[{"name": "http-500", "ufrag": hit.peer.ufrag}])
        statuses = [
            (await served.post(CALLS, files={"sdp": (None, c.offer, "application/sdp")})).status_code
            for c in (missed, hit, hit)
        ]
        assert statuses == [201, 500, 201]
