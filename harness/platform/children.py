"""Programs that an event loop starts and talks to; by threads where the loop cannot, as Windows'."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Protocol

import psutil

from harness.platform.pipes import ThreadedWriter, feed_by_thread, in_background
from harness.platform.plain import is_plain

DEVNULL, PIPE = subprocess.DEVNULL, subprocess.PIPE
LONGEST_LINE = 1 << 16  # as asyncio has it


class ProgramInput(Protocol):
    """A program's standard input: what is used of `asyncio.StreamWriter`."""

    def write(self, data: bytes, /) -> None: ...
    async def drain(self) -> None: ...
    def close(self) -> None: ...


class Program(Protocol):
    """A running program: what is used of `asyncio.subprocess.Process`."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    @property
    def stdin(self) -> ProgramInput | None: ...
    @property
    def stdout(self) -> asyncio.StreamReader | None: ...
    @property
    def stderr(self) -> asyncio.StreamReader | None: ...
    async def wait(self) -> int: ...
    def kill(self) -> None: ...
    async def communicate(self, input: bytes | None = None, /) -> tuple[bytes, bytes]:  # noqa: A002  (theirs)
        ...


async def start_program(
    command: Sequence[str],
    *,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
    limit: int = LONGEST_LINE,
    environment: Mapping[str, str] | None = None,
    pass_descriptors: Sequence[int] = (),
    leads_group: bool = False,
) -> Program:
    """As `asyncio.create_subprocess_exec`. `leads_group`: see `end_group`. Raises OSError where it cannot."""
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            limit=limit,
            env=environment,
            pass_fds=tuple(pass_descriptors),
            start_new_session=leads_group,
        )
    except NotImplementedError:
        process = subprocess.Popen(  # noqa: S603, ASYNC220  (the caller's command; it takes milliseconds)
            startable(command), stdin=stdin, stdout=stdout, stderr=stderr, env=environment
        )
        return ThreadedProgram(process, limit)


class ThreadedProgram:
    """A program that threads wait for, read and write to."""

    def __init__(self, process: subprocess.Popen[bytes], limit: int) -> None:
        self._process = process
        self._ended = asyncio.Event()
        self.pid = process.pid
        self.stdin = ThreadedWriter(process.stdin) if process.stdin is not None else None
        self.stdout, self.stderr = (_reader(file, limit) for file in (process.stdout, process.stderr))
        in_background(self._wait, asyncio.get_running_loop())

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        await self._ended.wait()
        return self._process.wait()

    def kill(self) -> None:
        self._process.kill()

    async def communicate(self, given: bytes | None = None) -> tuple[bytes, bytes]:
        """Give it that and no more; what it said on both, once it has ended."""
        if self.stdin is not None:
            self.stdin.write(given or b"")
            self.stdin.close()
        said = await asyncio.gather(*(_all_of(reader) for reader in (self.stdout, self.stderr)))
        await self.wait()
        return said[0], said[1]

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        self._process.wait()
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(self._ended.set)


def _reader(file: IO[bytes] | None, limit: int) -> asyncio.StreamReader | None:
    if file is None:
        return None
    reader = asyncio.StreamReader(limit=limit)
    feed_by_thread(reader, file)
    return reader


async def _all_of(reader: asyncio.StreamReader | None) -> bytes:
    return await reader.read() if reader is not None else b""


def startable(command: Sequence[str]) -> list[str]:
    """The command as this system starts it: to Windows, npm is npm.cmd, which only a shell would find."""
    found = shutil.which(command[0]) if sys.platform == "win32" else None
    return [found or command[0], *command[1:]]


def end_group(program: Program) -> None:
    """End a program that leads a group, and all that it started; without groups, what has a parent yet."""
    with contextlib.suppress(ProcessLookupError, PermissionError, psutil.Error):
        if sys.platform != "win32" and not is_plain():
            os.killpg(program.pid, signal.SIGKILL)
            return
        for each in psutil.Process(program.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                each.kill()
        program.kill()
