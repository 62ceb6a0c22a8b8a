from __future__ import annotations

import httpx
import pytest
import respx

from harness.call.upstream import FakeUpstream, clock_offset
from harness.core.clock import ManualClock
from harness.core.errors import HarnessError
from harness.core.events import CallEnded
from harness.core.timeline import event_to_builtins

FAKE = "http://fake.example:8089"


def reply(now: float, state: str = "ended") -> httpx.Response:
    ended = event_to_builtins(CallEnded(at=1.5, reason="hang-up"))
    call = {"id": "rtc_1", "ufrag": "abcd", "state": state, "started_at": 100.0, "events": [ended]}
    return httpx.Response(200, json={"now": now, "calls": [call]})


def test_clocks_that_may_be_the_same_are_taken_to_be() -> None:
    assert clock_offset(10.0, 10.003, 10.004) == 0.0


def test_the_offset_of_another_machines_clock_is_estimated_from_the_middle_of_the_round_trip() -> None:
    assert clock_offset(10.0, 500.0, 10.2) == pytest.approx(489.9)


@respx.mock
async def test_the_fakes_times_are_shifted_to_the_callers_timeline() -> None:
    clock = ManualClock(10.0)
    respx.get(f"{FAKE}/_fake/calls", params={"ufrag": "abcd", "events": "1"}).mock(
        return_value=reply(now=110.0)
    )
    upstream = FakeUpstream(FAKE, clock)
    [call] = await upstream.calls("abcd")
    [ended] = call.on_timeline(
        origin=-1.0
    )  # their 100.0 is our 0.0, and the timeline began one second before
    assert (ended.at, ended.side) == (2.5, "upstream")
    await upstream.close()


@respx.mock
async def test_a_call_that_is_still_live_is_asked_for_again_until_the_time_is_over() -> None:
    clock = ManualClock(0.0)

    def answer(_request: httpx.Request) -> httpx.Response:
        clock.advance(0.4)
        return reply(now=0.0, state="live")

    route = respx.get(f"{FAKE}/_fake/calls").mock(side_effect=answer)
    upstream = FakeUpstream(FAKE, clock)
    [call] = await upstream.calls_when_ended("abcd", within=1.0)
    assert call.live
    assert [c.request.url.params["events"] for c in route.calls] == ["0", "0", "0", "1"]
    await upstream.close()


@respx.mock
async def test_the_events_of_a_call_are_asked_for_once_when_it_has_ended() -> None:
    states = iter(["live", "live", "ended", "ended"])
    route = respx.get(f"{FAKE}/_fake/calls").mock(side_effect=lambda _: reply(now=0.0, state=next(states)))
    upstream = FakeUpstream(FAKE, ManualClock())
    [call] = await upstream.calls_when_ended("abcd", within=60.0)
    assert not call.live
    assert [c.request.url.params["events"] for c in route.calls] == ["0", "0", "0", "1"]
    await upstream.close()


@respx.mock
@pytest.mark.parametrize(
    "response", [httpx.Response(404), httpx.Response(200, text="<html>"), httpx.Response(200, json={"x": 1})]
)
async def test_whatever_is_no_fake_is_named_with_what_to_do(response: httpx.Response) -> None:
    respx.get(f"{FAKE}/_fake/calls").mock(return_value=response)
    upstream = FakeUpstream(FAKE, ManualClock())
    with pytest.raises(HarnessError, match=r"fake\.example:8089 does not answer as one"):
        await upstream.calls("abcd")
    await upstream.close()


@respx.mock
async def test_the_management_token_is_presented() -> None:
    route = respx.get(f"{FAKE}/_fake/calls").mock(return_value=reply(now=0.0))
    upstream = FakeUpstream(FAKE, ManualClock(), token="open-sesame")
    await upstream.calls("abcd")
    assert route.calls.last.request.headers["authorization"] == "Bearer open-sesame"
    await upstream.close()
