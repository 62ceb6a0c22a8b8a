from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence

import psutil
import pytest

from harness.platform import children
from harness.platform.children import PIPE, Program, end_group, start_program, startable
from harness.platform.loop import run_loop

ECHO = (sys.executable, "-c", "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)")


async def until_gone(processes: Sequence[psutil.Process]) -> None:
    async with asyncio.timeout(10):
        while any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes):
            await asyncio.sleep(0.01)


def test_a_program_is_talked_to_until_its_input_ends(either_way: bool) -> None:
    async def talked() -> tuple[list[bytes], int]:
        program = await start_program(ECHO, stdin=PIPE, stdout=PIPE)
        assert isinstance(program, children.ThreadedProgram) == either_way
        assert program.stdin is not None
        assert program.stdout is not None
        heard = []
        for said in (b"one\n", b"two\n"):
            program.stdin.write(said)
            await program.stdin.drain()
            heard.append(await program.stdout.readline())
        assert program.returncode is None
        program.stdin.close()
        heard.append(await program.stdout.readline())
        return heard, await program.wait()

    assert run_loop(talked()) == ([b"ONE\n", b"TWO\n", b""], 0)


def test_what_it_says_on_both_is_given_with_its_exit_code(either_way: bool) -> None:
    del either_way
    script = "import os, sys; print(os.environ['NAMED'] + sys.stdin.read()); "
    script += "print('bad', file=sys.stderr); exit(7)"

    async def said() -> tuple[tuple[bytes, bytes], int | None]:
        program = await start_program(
            (sys.executable, "-c", script),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            environment={**os.environ, "NAMED": "so "},
        )
        return await program.communicate(b"it is"), program.returncode

    assert run_loop(said()) == ((b"so it is\n", b"bad\n"), 7)


def test_a_program_that_there_is_not_is_an_error_at_once(either_way: bool) -> None:
    del either_way
    with pytest.raises(FileNotFoundError):
        run_loop(start_program(("no-such-program",)))


def test_a_program_is_ended_with_what_it_started(either_way: bool) -> None:
    del either_way
    script = (
        "import subprocess, sys; subprocess.Popen(['sleep', '77']); print('up', flush=True); sys.stdin.read()"
    )

    async def ended() -> int:
        program: Program = await start_program(
            (sys.executable, "-c", script), stdin=PIPE, stdout=PIPE, leads_group=True
        )
        assert program.stdout is not None
        await program.stdout.readline()
        started = psutil.Process(program.pid).children()
        assert len(started) == 1
        end_group(program)
        code = await program.wait()
        await until_gone(started)
        with contextlib.suppress(ProcessLookupError):
            end_group(program)  # again is nothing
        return code

    assert run_loop(ended()) == -9


def test_to_windows_a_command_is_given_with_its_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    assert startable(["npm", "run", "dev"]) == ["npm", "run", "dev"]
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr("shutil.which", {"npm": r"C:\node\npm.cmd"}.get)
    assert startable(["npm", "run", "dev"]) == [r"C:\node\npm.cmd", "run", "dev"]
    assert startable(["none"]) == ["none"]
