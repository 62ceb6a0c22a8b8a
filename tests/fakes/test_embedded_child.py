"""The pair's own process, as far as it needs no process."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from harness.fakes.embedded import RESTART_SPARE
from harness.fakes.embedded_child import Order, _read_stdin


async def test_the_end_of_its_input_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe without a writer can be read for ever: whoever does so takes a core, and then the memory."""
    reading, writing = os.pipe()
    ends: list[float] = []
    loop = asyncio.get_running_loop()
    orders: asyncio.Queue[Order] = asyncio.Queue()
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(loop, "call_later", lambda seconds, *_: ends.append(seconds), raising=False)
        loop.add_reader(reading, _read_stdin, orders)
        os.write(writing, RESTART_SPARE)
        assert await orders.get() == "restart"
        os.close(writing)
        assert await orders.get() == "stop"
        for _ in range(20):
            await asyncio.sleep(0)
        assert orders.empty()
        assert not loop.remove_reader(reading)
        assert len(ends) == 1, "something that does not end is ended"
