"""A fake OpenAI in the test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fakes.callers import Served, serving


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A fake with quick settings; when the test is over, no task of it may be left."""
    async with serving() as served:
        yield served
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert served.fake.calls.records.live == []
