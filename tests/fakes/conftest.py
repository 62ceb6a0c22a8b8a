"""A fake OpenAI in the test's own event loop, and a watch over every event that any fake sends."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from openai.types.live.server_event import ServerEvent as LiveServerEvent
from pydantic import TypeAdapter, ValidationError

from harness.core.realtime_events import server_event_problem
from harness.fakes.openai.record import UpstreamRecord
from tests.fakes.callers import Served, serving
from tests.fakes.recorded import OrderWatch, differences, explanation

LIVE_EVENT: TypeAdapter[Any] = TypeAdapter(LiveServerEvent)


@pytest.fixture(autouse=True)
def every_event_is_one_that_the_api_may_send(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Strictly by the official types and the recordings, in every call of every test that meets no fault."""
    problems: list[str] = []
    orders: dict[int, OrderWatch] = defaultdict(OrderWatch)
    note = UpstreamRecord.server_event

    def checked(record: UpstreamRecord, event: dict[str, Any] | None, raw: str, size: int) -> None:
        if not record.faults:
            if problem := _problem(event):
                problems.append(f"{problem} in {event}")
            elif event is not None and not _is_live(event):
                problems.extend(line for line in differences(event) if explanation(line) is None)
                problems.extend(orders[id(record)].violations(event))
        note(record, event, raw, size)

    monkeypatch.setattr(UpstreamRecord, "server_event", checked)
    yield
    assert problems == []


def _problem(event: dict[str, Any] | None) -> str:
    problem = server_event_problem(event)
    if problem is None:
        return ""
    return "" if event is not None and _is_live(event) else problem.problem


def _is_live(event: dict[str, Any]) -> bool:
    """Whether it is an event of GPT-Live, of which nothing was recorded, and of nothing else."""
    if server_event_problem(event) is None:
        return False
    try:
        LIVE_EVENT.validate_python(event, strict=True)
    except ValidationError:
        return False
    return True


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A fake with quick settings; when the test is over, no task of it may be left."""
    async with serving() as served:
        yield served
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert served.fake.calls.records.live == []
