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
from typing import Any, Literal

import pytest

Program = Literal["harness", "pytest"]

# What a run of scenarios loads, but for what pytest rewrites: its plugins, and the tests themselves.
LOADED = (
    "aiortc",
    "allure_commons",
    "av",
    "execnet",
    "faker.factory",
    "httpx",
    "hypothesis",
    "jinja2",
    "numpy",
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


# Where the server is that all parts of `make test` share: loading takes several seconds of a core.
SHARED = "HARNESS_TESTS_PRELOADED"


@cache
def server() -> ForkServerContext:
    """Processes of this context begin with all that loaded."""
    context = multiprocessing.get_context("forkserver")
    if address := os.environ.get(SHARED):
        _use_the_one_at(address)
        return context
    context.set_forkserver_preload(list(LOADED))
    # Waited for, so that what it cost is counted; else it ends some time after this process.
    atexit.register(_of_the_library()._stop)  # as the library's own tests do
    return context


def _use_the_one_at(address: str) -> None:
    """It is another process's, which starts it, and ends it."""
    ours = _of_the_library()
    ours._forkserver_address = address
    ours._forkserver_alive_fd = os.open(os.devnull, os.O_RDONLY)
    ours.ensure_running = lambda: None


def _of_the_library() -> Any:
    """What it keeps of its fork server: it can neither stop one nor use another's."""
    return forkserver._forkserver


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

    # What forked us forks our children too: it runs, since we do, and is not ours to wait for.
    _of_the_library().ensure_running = lambda: None
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


def main() -> None:
    """Say where a server is that loads, and keep it until our input ends."""
    server()
    forkserver.ensure_running()
    print(_of_the_library()._forkserver_address, flush=True)  # noqa: T201  (a command)
    sys.stdin.read()


if __name__ == "__main__":
    main()
