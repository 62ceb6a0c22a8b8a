"""One call for each caller: the newer ends the older, also where two come at once."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from harness.core.errors import UsageError
from harness.fakes.relay.settings import RelaySettings
from tests.fakes.relay.test_app import ANSWER, KEY, UPSTREAM, offered, relaying

CALLER = {"Authorization": "Bearer ana"}


class Upstream:
    """Makes calls rtc_1, rtc_2, …, each after a while; `ended` are those that were hung up, in order."""

    def __init__(self) -> None:
        self.made = 0
        self.ended: list[str] = []
        self.key = ""

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/hangup"):
            self.ended.append(request.url.path.split("/")[-2])
            self.key = request.headers["authorization"]
            return httpx.Response(200)
        self.made += 1
        headers = {"content-type": "application/sdp", "location": f"/v1/realtime/calls/rtc_{self.made}"}
        await asyncio.sleep(0.02)
        return httpx.Response(201, text=ANSWER, headers=headers)


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_new_call_ends_the_older_one(at_once: bool) -> None:
    upstream = Upstream()
    async with relaying(upstream=upstream, one_call_per_caller=True) as (client, _):
        if at_once:
            await asyncio.gather(*(offered(client, headers=CALLER) for _ in range(3)))
        else:
            for _ in range(3):
                await offered(client, headers=CALLER)
        assert upstream.ended == ["rtc_1", "rtc_2"]


async def test_each_caller_has_one() -> None:
    upstream = Upstream()
    async with relaying(upstream=upstream, one_call_per_caller=True) as (client, _):
        for name in ("ana", "ben"):
            await offered(client, headers={"Authorization": f"Bearer {name}"})
        assert upstream.ended == []


async def test_a_guard_that_looks_too_early_leaves_calls_behind() -> None:
    upstream = Upstream()
    async with relaying("guard-raced", upstream=upstream) as (client, _):
        await asyncio.gather(*(offered(client, headers=CALLER) for _ in range(3)))
        assert upstream.ended == []


async def test_a_guard_in_memory_knows_its_own_process_alone() -> None:
    upstream = Upstream()
    async with relaying("guard-in-memory", upstream=upstream) as (client, _):
        statuses = [(await offered(client, headers=CALLER)).status_code for _ in range(4)]
        assert statuses == [200, 429, 200, 429]


async def test_a_call_is_ended_when_its_time_is_up() -> None:
    upstream = Upstream()
    async with relaying(upstream=upstream, call_seconds=0.05) as (client, _):
        await offered(client)
        async with asyncio.timeout(5):
            while not upstream.ended:
                await asyncio.sleep(0.01)
        assert upstream.ended == ["rtc_1"]
        assert upstream.key == f"Bearer {KEY}"


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_call_that_lasts_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(UsageError, match="more than 0"):
        RelaySettings(UPSTREAM, KEY, call_seconds=seconds)
