"""A fake OpenAI in the test's own event loop, and a watch over every event that any fake sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from openai.types.live.server_event import ServerEvent as LiveServerEvent
from pydantic import TypeAdapter, ValidationError

from harness.core.realtime_events import server_event_problem
from harness.fakes.openai.record import CallRecord
from tests.fakes.callers import Served, serving

LIVE_EVENT: TypeAdapter[Any] = TypeAdapter(LiveServerEvent)


@pytest.fixture(autouse=True)
def every_event_is_one_that_the_api_may_send(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Strictly by the official types, in every call of every test that meets no fault."""
    problems: list[str] = []
    note = CallRecord.server_event

    def checked(record: CallRecord, event: dict[str, Any] | None, raw: str, size: int) -> None:
        if not record.faults and (problem := _problem(event)):
            problems.append(f"{problem} in {event}")
        note(record, event, raw, size)

    monkeypatch.setattr(CallRecord, "server_event", checked)
    yield
    assert problems == []


def _problem(event: dict[str, Any] | None) -> str:
    problem = server_event_problem(event)
    if problem is None:
        return ""
    try:
        LIVE_EVENT.validate_python(event, strict=True)
    except ValidationError:
        return problem.problem
    return ""


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A fake with quick settings; when the test is over, no task of it may be left."""
    async with serving() as served:
        yield served
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert served.fake.calls.records.live == []
