from __future__ import annotations

import asyncio

from harness.call.waiting import Waiter
from harness.core.events import ServerEvent
from harness.core.timeline import Timeline


def event(kind: str, at: float = 0.0) -> ServerEvent:
    return ServerEvent(at=at, event={"type": kind})


async def test_an_event_that_came_before_the_wait_satisfies_it() -> None:
    timeline = Timeline([event("session.created")])
    assert await Waiter(timeline).server_event("session.created", within=0.01) is not None


async def test_an_event_satisfies_one_wait_only() -> None:
    waiter = Waiter(Timeline([event("response.done")]))
    assert await waiter.server_event("response.done", within=0.01) is not None
    assert await waiter.server_event("response.done", within=0.01) is None


async def test_a_wait_ends_when_the_event_comes() -> None:
    timeline = Timeline()
    waiting = asyncio.create_task(Waiter(timeline).server_event("a", "b", within=5))
    await asyncio.sleep(0)
    timeline.append(event("other"))
    timeline.append(event("b"))
    found = await waiting
    assert found is not None
    assert found.type == "b"


async def test_a_wait_can_ask_for_more_than_the_type() -> None:
    timeline = Timeline([event("error", 1.0), event("error", 2.0)])
    found = await Waiter(timeline).server_event("error", within=0.01, where=lambda e: e.at > 1.5)
    assert found is not None
    assert found.at == 2.0


async def test_a_condition_is_asked_again_without_any_event() -> None:
    answers = iter([False, False, True])
    assert await Waiter(Timeline()).condition(lambda: next(answers), within=5)


async def test_no_listener_is_left_behind() -> None:
    timeline = Timeline()
    await Waiter(timeline).server_event("never", within=0.01)
    assert timeline._listeners == []
