"""Steering a fake over HTTP, and who may."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from harness.fakes.access import Access
from harness.fakes.faults.plan import FaultPlan
from harness.fakes.management import fault_routes
from harness.fakes.openai.faults import OPENAI_FAULTS


def client_of(
    plan: FaultPlan, token: str | None = None, address: str = "127.0.0.1", bound: str = "127.0.0.1"
) -> httpx.AsyncClient:
    app = Starlette(routes=fault_routes(plan, Access(token)))
    transport = httpx.ASGITransport(app, client=(address, 5))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{bound}:80")


def names(reply: httpx.Response) -> list[str]:
    return [fault["name"] for fault in reply.json()["faults"]]


async def test_put_replaces_and_post_adds() -> None:
    """PUT says what is planned from now on; POST is for callers side by side."""
    async with client_of(FaultPlan(OPENAI_FAULTS, seed=7)) as client:
        assert names(await client.put("/faults", json={"http-401": True, "no-audio": None})) == [
            "http-401",
            "no-audio",
        ]
        added = await client.post("/faults", json=[{"name": "http-500", "calls": 2, "ufrag": "abcd"}])
        assert names(added) == ["http-401", "no-audio", "http-500"]
        assert added.json()["faults"][-1] == {
            "name": "http-500",
            "stage": "http",
            "value": True,
            "calls": 2,
            "ufrag": "abcd",
        }
        assert names(await client.put("/faults", json={"jitter": 80})) == ["jitter"]
        assert (await client.get("/faults")).json()["seed"] == 7


async def test_delete_takes_one_back_or_all() -> None:
    """One that is not planned is not found."""
    async with client_of(FaultPlan(OPENAI_FAULTS, faults=("http-401", "http-500"))) as client:
        assert names(await client.delete("/faults", params={"name": "http-401"})) == ["http-500"]
        assert (await client.delete("/faults", params={"name": "http-401"})).status_code == 404
        assert names(await client.delete("/faults")) == []


@pytest.mark.parametrize(
    "body",
    [
        {"http-40": True},
        {"jitter": "much"},
        [{"name": 7}],
        [{"value": 7}],
        [{"name": "http-401", "calls": 0}],
        [{"name": "http-401", "calls": "2"}],
        [{"name": "http-401", "ufrag": 7}],
        [{"name": "http-401", "until": "noon"}],
        ["http-401"],
        7,
    ],
)
async def test_a_bad_order_changes_nothing(body: Any) -> None:
    """And says what is wrong."""
    async with client_of(FaultPlan(OPENAI_FAULTS, faults=("no-audio",))) as client:
        refused = await client.put("/faults", json=body)
        assert refused.status_code == 400
        assert refused.json()["problem"]
        assert names(await client.get("/faults")) == ["no-audio"]


async def test_without_a_token_only_this_machine_may() -> None:
    """Neither a client elsewhere, nor one that came in by a public address."""
    plan = FaultPlan(OPENAI_FAULTS)
    async with client_of(plan, address="10.0.0.7") as client:
        assert (await client.get("/faults")).status_code == 403
    async with client_of(plan, bound="10.0.0.1") as client:
        assert (await client.get("/faults")).status_code == 403


async def test_with_a_token_only_its_bearers_may() -> None:
    """From anywhere."""
    async with client_of(FaultPlan(OPENAI_FAULTS), token="secret", address="10.0.0.7") as client:
        assert (await client.get("/faults")).status_code == 403
        headers = {"authorization": "Bearer secret"}
        assert (await client.get("/faults", headers=headers)).status_code == 200
