"""How a process that Locust started is spoken to: its input as a stream, reports on its output."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from harness.load.messages import line
from harness.platform.pipes import reading_pipe, write_pipe

Send = Callable[[Any], None]


@asynccontextmanager
async def pipes() -> AsyncIterator[tuple[asyncio.StreamReader, Send]]:
    """Our input, and a way to report that never blocks: a full pipe must not stop the pacer."""
    # What else is printed goes to standard error: standard output holds reports alone.
    reports = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    writer = await write_pipe(reports)
    try:
        async with reading_pipe(sys.stdin) as reader:
            yield reader, lambda message: writer.write(line(message))
    finally:
        writer.close()
