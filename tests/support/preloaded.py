"""pytest as a process of its own that need not load libraries: a server that has them is forked.

Loading takes three seconds of a core, for each of the dozens of runs that tests look at. What the
documentation shows is run by a shell all the same (tests/docs), and so is `make scenarios`.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

# What a run of scenarios loads, but for what pytest rewrites: its plugins, and the tests themselves.
LIBRARIES = (
    "aiortc",
    "allure_commons",
    "av",
    "httpx",
    "jinja2",
    "numpy",
    "openai.types.realtime",
    "pydantic_settings",
    "pystoi",
    "rich.console",
    "scipy.signal",
    "uvloop",
    "webrtcvad",
)

# anyio has a plugin for pytest, and came with the libraries: its own assertions are not rewritten.
LOADED_ALREADY = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"


@cache
def _server() -> ForkServerContext:
    """Processes of this context begin with the libraries loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LIBRARIES))
    return context


def run_pytest(
    arguments: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    output: Path,
    seconds: float,
) -> int:
    """`pytest ARGUMENTS` in a folder; what it says goes to a file. Gives the exit code.

    Raises TimeoutError beyond `seconds`.
    """
    process = _server().Process(
        target=_pytest, args=(list(arguments), str(cwd), dict(environment), str(output))
    )
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError(
            f"pytest {' '.join(arguments)} took over {seconds:g} s: {output.read_text()[-2000:]}"
        )
    return process.exitcode


def _pytest(arguments: list[str], cwd: str, environment: dict[str, str], output: str) -> None:
    said = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["pytest", "-W", LOADED_ALREADY, *arguments]
    sys.exit(pytest.console_main())
