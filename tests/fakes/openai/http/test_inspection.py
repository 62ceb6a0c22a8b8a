"""`/_fake/calls`: what the fake saw, as another process reads it."""

from __future__ import annotations

from typing import Any

from harness.core.clock import MonotonicClock
from harness.core.timeline import event_from_builtins
from tests.fakes.callers import CALLS, Served, calling, new_caller, quick, serving, until


async def shown(served: Served, **query: str) -> list[dict[str, Any]]:
    reply = await served.client.get(f"{served.url}/_fake/calls", params=query)
    calls: list[dict[str, Any]] = reply.json()["calls"]
    return calls


async def test_calls_are_chosen_by_name_id_and_state(served: Served) -> None:
    """Live, ended and refused ones are all there."""
    async with calling(served) as live, new_caller() as refused:
        await live.event("session.created")
        await served.post(CALLS, files={"sdp": (None, refused.offer.strip())})
        assert [c["ufrag"] for c in await shown(served)] == [live.peer.ufrag, refused.peer.ufrag]
        assert [c["ufrag"] for c in await shown(served, state="live")] == [live.peer.ufrag]
        [call] = await shown(served, ufrag=refused.peer.ufrag)
        assert (call["state"], call["reason"]) == ("ended", "refused-400")
        assert await shown(served, id=call["id"]) == [call]
        assert await shown(served, ufrag="nobody") == []


async def test_a_call_is_shown_with_times_events_and_audio(served: Served) -> None:
    """Its events can be read back into a timeline; `events=0` leaves them out."""
    async with calling(served) as caller:
        await caller.event("session.created")
        await until(caller.timeline, lambda: len(caller.heard()) > 5 or None)
        now = MonotonicClock().now()
        reply = (await served.client.get(f"{served.url}/_fake/calls")).json()
        [call] = reply["calls"]
        assert call["started_at"] < now <= reply["now"]
        assert call["ended_at"] is None
        assert call["audio"]["packets_received"] > 0
        assert call["session"]["audio"]["output"]["voice"] == "marin"
        kinds = [type(event_from_builtins(e)).__name__ for e in call["events"]]
        assert kinds[:2] == ["CallStarted", "HttpRequest"]
        [light] = await shown(served, events="0")
        assert "events" not in light


async def test_a_call_that_meets_faults_says_which(served: Served) -> None:
    """So that a report can tell a planted failure from another."""
    await served.client.put(f"{served.url}/_fake/faults", json={"jitter": 80})
    async with calling(served):
        assert (await shown(served))[0]["faults"] == {"jitter": 80}


async def test_only_the_latest_ended_calls_are_kept() -> None:
    """A fake that runs for days must not grow."""
    async with serving(quick(ended_calls_kept=2)) as served:
        for _ in range(5):
            await served.post(CALLS, files={"sdp": (None, "v=0")})
        assert len(await shown(served)) == 2


async def test_a_reset_ends_calls_forgets_them_and_clears_faults(served: Served) -> None:
    """A clean slate between tests."""
    await served.client.put(f"{served.url}/_fake/faults", json={"jitter": 80})
    async with calling(served) as caller:
        await caller.event("session.created")
        await served.post("/_fake/reset")
        await caller.state("dtls", "closed")
        assert await shown(served) == []
        assert (await served.client.get(f"{served.url}/_fake/faults")).json()["faults"] == []


async def test_health_says_who_it_is(served: Served) -> None:
    """Version, seed and how many calls are live."""
    health = (await served.client.get(f"{served.url}/_fake/health")).json()
    assert (health["status"], health["seed"], health["live"]) == ("ok", 0, 0)
