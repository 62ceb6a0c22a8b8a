from __future__ import annotations

import asyncio
import os
import threading

from harness.platform.loop import run_loop
from harness.platform.pipes import WaitedPipe, reading_pipe, write_pipe

LONG = b"x" * 1_000_000  # many times what a pipe holds


def test_what_is_written_into_a_pipe_is_read_to_its_end(either_way: bool) -> None:
    del either_way

    async def through() -> list[bytes]:
        reading, writing = os.pipe()
        writer = await write_pipe(os.fdopen(writing, "wb", buffering=0))
        async with reading_pipe(os.fdopen(reading, "rb")) as reader:
            writer.write(b"first\n")
            first = await reader.readline()
            writer.write(LONG)
            writer.write(b"last")
            writer.close()
            return [first, await reader.read()]

    assert run_loop(through()) == [b"first\n", LONG + b"last"]


def test_a_pipe_that_has_not_ended_is_left(either_way: bool) -> None:
    async def left() -> bytes:
        reading, writing = os.pipe()
        with os.fdopen(writing, "wb", buffering=0) as file:
            async with reading_pipe(os.fdopen(reading, "rb")) as reader:
                file.write(b"said")
                said = await reader.read(4)
                if not either_way:
                    return said
        await reader.read()  # by a thread, which ends when its pipe does
        return said

    assert run_loop(left()) == b"said"


def test_who_writes_never_waits_for_who_reads(either_way: bool) -> None:
    del either_way

    async def written() -> int:
        reading, writing = os.pipe()
        writer = await write_pipe(os.fdopen(writing, "wb", buffering=0))
        writer.write(LONG)  # nobody reads yet
        await asyncio.sleep(0)
        writer.close()
        with os.fdopen(reading, "rb") as file:
            return len(await asyncio.to_thread(file.read))

    assert run_loop(written()) == len(LONG)


def test_a_pipe_is_waited_for_so_long_and_no_longer(either_way: bool) -> None:
    del either_way
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as file:
        pipe = WaitedPipe(file)
        assert pipe.read(0.0) is None
        assert pipe.read(0.05) is None
        threading.Timer(0.05, os.write, (writing, b"said")).start()
        assert pipe.read(10.0) == b"said"
        os.close(writing)
        assert pipe.read(10.0) == b""
