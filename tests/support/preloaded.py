"""`pytest` and `harness` as processes that need not load libraries: a server that has them is forked.

Loading takes two to three seconds of a core, for each of the dozens of runs that tests look at. Programs
that start as a user starts them are in tests/cli, tests/load and in `make scenarios`.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Literal

import pytest

Program = Literal["harness", "pytest"]

# What a run of scenarios loads, but for what pytest rewrites: its plugins, and the tests themselves.
LOADED = (
    "aiortc",
    "allure_commons",
    "av",
    "faker.factory",
    "httpx",
    "jinja2",
    "numpy",
    "openai.types.realtime",
    "pydantic_settings",
    "pystoi",
    "respx",
    "rich.console",
    "scipy.signal",
    "scipy.stats",
    "uvloop",
    "webrtcvad",
    "harness.cli.doctor",
    "harness.fakes.embedded_child",
    "tests.support.warmed",
)

# anyio and the harness have plugins for pytest, and are there already: their assertions are not rewritten.
LOADED_ALREADY = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"


@cache
def server() -> ForkServerContext:
    """Processes of this context begin with all that loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LOADED))
    # Waited for, so that what it cost is counted; else it ends some time after this process.
    atexit.register(forkserver._forkserver._stop)  # type: ignore[attr-defined]  # as the library's own tests do
    return context


def start(
    program: Program, arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], output: Path
) -> ForkServerProcess:
    """`PROGRAM ARGUMENTS` in a folder; what it says goes to a file."""
    process = server().Process(
        target=_program, args=(program, list(arguments), str(cwd), dict(environment), str(output))
    )
    process.start()
    return process


def run(
    program: Program,
    arguments: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    output: Path,
    seconds: float,
) -> int:
    """Likewise, to its end: gives the exit code. Raises TimeoutError beyond `seconds`."""
    return ended(start(program, arguments, cwd=cwd, environment=environment, output=output), output, seconds)


def ended(process: ForkServerProcess, output: Path, seconds: float) -> int:
    """The exit code of a program that was started. Raises TimeoutError beyond `seconds`, and ends it."""
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError(f"it took over {seconds:g} s: {output.read_text()[-2000:]}")
    return process.exitcode


def _program(
    program: Program, arguments: list[str], cwd: str, environment: dict[str, str], output: str
) -> None:
    said = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    from tests.support.forked import forking  # which imports this module

    with forking():
        _begin(program, arguments)


def _begin(program: Program, arguments: list[str]) -> None:
    if program == "harness":
        from harness.cli.main import main

        sys.argv = ["harness", *arguments]
        main()
    else:
        sys.argv = ["pytest", "-W", LOADED_ALREADY, *arguments]
        sys.exit(pytest.console_main())
