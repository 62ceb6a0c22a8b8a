"""How a process that Locust started is spoken to: its input as a stream, reports on its output."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from harness.load.messages import line

Send = Callable[[Any], None]


@asynccontextmanager
async def pipes() -> AsyncIterator[tuple[asyncio.StreamReader, Send]]:
    """Our input, and a way to report that never blocks: a full pipe must not stop the pacer."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    # What else is printed goes to standard error: standard output holds reports alone.
    reports = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, _ = await loop.connect_write_pipe(asyncio.Protocol, reports)
    try:
        yield reader, lambda message: transport.write(line(message))
    finally:
        transport.close()
