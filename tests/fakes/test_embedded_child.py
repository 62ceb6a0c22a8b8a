"""The pair's own process, as far as it needs no process."""

from __future__ import annotations

import asyncio
import os

import pytest

from harness.fakes.embedded import RESTART_SPARE
from harness.fakes.embedded_child import Order, _obey
from harness.platform.pipes import reading_pipe


@pytest.mark.parametrize("plain", ["", "1"])
async def test_the_end_of_its_input_is_read_once(monkeypatch: pytest.MonkeyPatch, plain: str) -> None:
    """A pipe without a writer can be read for ever: whoever does so takes a core, and then the memory."""
    monkeypatch.setenv("HARNESS_PLAIN_PLATFORM", plain)
    reading, writing = os.pipe()
    ends: list[float] = []
    loop = asyncio.get_running_loop()
    orders: asyncio.Queue[Order] = asyncio.Queue()
    with os.fdopen(reading, "rb") as stdin:
        monkeypatch.setattr(loop, "call_later", lambda seconds, *_: ends.append(seconds), raising=False)
        async with reading_pipe(stdin) as said:
            obeying = asyncio.create_task(_obey(said, orders))
            os.write(writing, RESTART_SPARE)
            assert await orders.get() == "restart"
            os.close(writing)
            assert await orders.get() == "stop"
            await obeying
        assert orders.empty()
        assert len(ends) == 1, "something that does not end is ended"
