"""The machine under a benchmark: which core a process runs on, what it used of it, and a child to talk to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
import sys
import sysconfig
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

STOP_SECONDS = 10.0
MIB = 1024 * 1024


def cores() -> tuple[int, int]:
    """A core for what is measured and another for its far end; the same one where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def stolen(core: int) -> float:
    """Seconds so far in which the host kept a core that had work from it; 0 where it does not say."""
    return float(getattr(psutil.cpu_times(percpu=True)[core], "steal", 0.0))


def interpreter() -> str:
    """Which Python this is, and whether it is as fast as it could be."""
    built = str(sysconfig.get_config_var("CONFIG_ARGS"))
    slower = (
        ""
        if "--enable-optimizations" in built
        else ", built without --enable-optimizations: slower by a tenth"
    )
    return f"{platform.python_version()}{slower}"


def resident_mib() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


class Child:
    """A process that answers each JSON line with one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, question: dict[str, Any], within: float = 60.0) -> dict[str, Any]:
        """Its answer. Raises RuntimeError where it ended instead, TimeoutError where it says nothing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        await self._process.stdin.drain()
        line = await asyncio.wait_for(self._process.stdout.readline(), within)
        if not line:
            raise RuntimeError(f"a process of the benchmark ended with {await self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def stop(self) -> None:
        """End its input, and then the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def child(module: str, *arguments: str, core: int) -> AbstractAsyncContextManager[Child]:
    """`python -m module` pinned to a core; stopped at the end."""
    return running([sys.executable, "-m", module, *arguments], core=core)


@asynccontextmanager
async def running(command: Sequence[str], *, core: int) -> AsyncIterator[Child]:
    """A program pinned to a core; stopped at the end."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    started = Child(process)
    try:
        with contextlib.suppress(ProcessLookupError):  # it failed at once, which the first question will tell
            os.sched_setaffinity(process.pid, {core})
        yield started
    finally:
        await started.stop()


async def questions() -> AsyncIterator[dict[str, Any]]:
    """The questions that a child is asked, until there are no more."""
    lines = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        yield json.loads(line)


def answer(**fields: Any) -> None:
    """Answer the question."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()
