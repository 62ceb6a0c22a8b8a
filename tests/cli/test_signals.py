"""Ctrl-C, SIGTERM and SIGHUP at any moment: the shell's exit code, no traceback, what was made is kept."""

from __future__ import annotations

import asyncio
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Seconds after our first line: imports, the call, the wait for an answer.
MOMENTS = (0.0, 0.2, 0.6, 1.5)
FIRST_LINE = "harness.run.quietly"  # as Python reports each import


async def ended(
    arguments: tuple[str, ...],
    number: signal.Signals,
    after: float,
    first: str = "",
    *,
    in_background: bool = False,
) -> tuple[int | None, str]:
    """Exit code, as a shell has it, and output of a command that is sent a signal after seconds, or a line.

    CPython ends by SIGINT itself where it met code that a C extension runs, whoever catches it then.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "importtime", "-m", "harness", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_IGN) if in_background else None,
    )
    assert process.stdout is not None
    said = b""
    try:
        async with asyncio.timeout(30):
            while first and first.encode() not in said:
                line = await process.stdout.readline()
                assert line, said[-500:]
                said += line
            await asyncio.sleep(after)
            if process.returncode is None:
                process.send_signal(number)
            rest, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    code = process.returncode
    return 128 - code if code is not None and code < 0 else code, (said + rest).decode()


@pytest.fixture
async def silent_target() -> object:
    """Takes every connection, and says nothing."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/offer"
    server.close()


async def test_ctrl_c_at_any_moment_ends_in_silence(silent_target: str, tmp_path: Path) -> None:
    for n, after in enumerate(MOMENTS):
        arguments = ("doctor", silent_target, f"--reports={tmp_path / str(n)}")
        code, said = await ended(arguments, signal.SIGINT, after, first=FIRST_LINE)
        assert code == 130, (after, said[-500:])
        assert "Traceback" not in said, (after, said[-2000:])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_other_signals_end_it_as_a_shell_expects(
    number: signal.Signals, silent_target: str, tmp_path: Path
) -> None:
    arguments = ("doctor", silent_target, f"--reports={tmp_path}")
    code, said = await ended(arguments, number, 0.5, first="harness.cli.showing")
    assert code == 128 + number, said[-500:]
    assert "Traceback" not in said


async def test_what_a_script_starts_in_the_background_ends_by_sigterm(
    silent_target: str, tmp_path: Path
) -> None:
    """There a shell has it ignore SIGINT."""
    arguments = ("doctor", silent_target, f"--reports={tmp_path}")
    code, said = await ended(arguments, signal.SIGTERM, 1.0, first="harness.cli.showing", in_background=True)
    assert code == 128 + signal.SIGTERM, said[-500:]
    assert "Traceback" not in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_server_that_is_told_to_go_ends_well(number: signal.Signals) -> None:
    code, said = await ended(("fake-openai", "--vad=webrtc"), number, 0.1, first="http://")
    assert code == 0, said
    assert "Traceback" not in said
