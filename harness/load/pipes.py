"""How a process that Locust started is spoken to: its input as a stream, reports on its output."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from harness.core.errors import HarnessError, UsageError
from harness.core.printable import make_logs_printable
from harness.load.messages import Refused, line
from harness.platform.loop import run_loop
from harness.platform.pipes import reading_pipe, write_pipe

Send = Callable[[Any], None]
Serve = Callable[[asyncio.StreamReader, Send], Awaitable[None]]


def serve_parent(serve: Serve) -> int:
    """Serve the process that started us until our input ends; 1 where it was refused, and told why."""
    # Ctrl-C reaches the whole process group; Locust decides when its calls and offers are over.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    make_logs_printable()
    return run_loop(_served(serve))


async def _served(serve: Serve) -> int:
    async with pipes() as (reader, send):
        try:
            await serve(reader, send)
        except HarnessError as error:
            send(Refused(error=str(error), usage=isinstance(error, UsageError)))
            return 1
    return 0


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
