"""Pipes in an event loop, and pipes that are waited for but not for ever; by threads where need be.

Windows cannot wait for a pipe as for a socket, and its selector loop knows none.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import selectors
import threading
from collections.abc import AsyncIterator, Callable
from typing import IO, Protocol

from harness.platform.plain import is_plain

CHUNK = 65_536


@contextlib.asynccontextmanager
async def reading_pipe(file: IO[bytes] | IO[str]) -> AsyncIterator[asyncio.StreamReader]:
    """A reader of what comes through a pipe, which is closed afterwards."""
    reader = asyncio.StreamReader()
    try:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), file
        )
    except NotImplementedError:
        feed_by_thread(reader, file)
        yield reader
        return
    try:
        yield reader
    finally:
        transport.close()
        await asyncio.sleep(0)  # it does so in the loop's next round


def feed_by_thread(reader: asyncio.StreamReader, file: IO[bytes] | IO[str]) -> None:
    """Let it have all that the file brings, to its end; the file is closed there."""
    in_background(_feed, asyncio.get_running_loop(), reader, file)


class PipeWriter(Protocol):
    """What writes into a pipe and never waits for who reads it."""

    def write(self, data: bytes, /) -> None: ...
    def close(self) -> None:
        """Everything written goes out first."""
        ...


async def write_pipe(file: IO[bytes]) -> PipeWriter:
    """A writer into a pipe, which it closes."""
    try:
        transport, _ = await asyncio.get_running_loop().connect_write_pipe(asyncio.Protocol, file)
    except NotImplementedError:
        return ThreadedWriter(file, outlasting=True)
    return transport


class ThreadedWriter:
    """A thread that writes, in order, what it is given. `outlasting`: our process waits for it."""

    def __init__(self, file: IO[bytes], *, outlasting: bool = False) -> None:
        self._file = file
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        in_background(self._write, awaited=outlasting)

    def write(self, data: bytes) -> None:
        """Keep it until it can be written; after the reader has gone it is lost."""
        self._waiting.put(data)

    async def drain(self) -> None:
        """As a `StreamWriter`'s; what waits here needs no more room than that would."""

    def close(self) -> None:
        """Idempotent."""
        self._waiting.put(None)

    def _write(self) -> None:
        with contextlib.suppress(OSError), self._file:
            while (data := self._waiting.get()) is not None:
                self._file.write(data)
                self._file.flush()


class WaitedPipe:
    """The reading end of a pipe, for who has no event loop or looks again and again."""

    def __init__(self, file: IO[bytes]) -> None:
        self._descriptor = file.fileno()
        self._came: queue.SimpleQueue[bytes] | None = None
        if is_plain():
            self._came = queue.SimpleQueue()
            in_background(_read, self._descriptor, self._came.put)

    def read(self, within: float) -> bytes | None:
        """What has come, or comes within seconds: None where that is nothing, `b""` once it is at its end."""
        if self._came is not None:
            with contextlib.suppress(queue.Empty):
                return self._came.get(timeout=within) if within else self._came.get_nowait()
            return None
        with selectors.DefaultSelector() as selector:
            selector.register(self._descriptor, selectors.EVENT_READ)
            return os.read(self._descriptor, CHUNK) if selector.select(within) else None


def in_background(do: Callable[..., None], *given: object, awaited: bool = False) -> None:
    """In a thread, which keeps our process from ending only where it is `awaited`."""
    threading.Thread(target=do, args=given, daemon=not awaited).start()


def _read(descriptor: int, tell: Callable[[bytes], object]) -> None:
    """Tell of each chunk, and of the end by an empty one."""
    data = b"-"
    while data:
        try:
            data = os.read(descriptor, CHUNK)
        except OSError:  # Windows' word for an end
            data = b""
        tell(data)


def _feed(loop: asyncio.AbstractEventLoop, reader: asyncio.StreamReader, file: IO[bytes] | IO[str]) -> None:
    def feed(data: bytes) -> None:
        if data:
            reader.feed_data(data)
        else:
            reader.feed_eof()

    with contextlib.suppress(RuntimeError), file:  # the loop has ended, and with it who reads
        _read(file.fileno(), lambda data: loop.call_soon_threadsafe(feed, data))
