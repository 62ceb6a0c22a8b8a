from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from harness.cli.main import main
from tests.support.programs import ending_with_us

Server = Callable[..., "subprocess.Popen[str]"]
RunCommand = Callable[..., int]


@pytest.fixture
def run_command() -> RunCommand:
    """`harness …` in this process; gives its exit code."""

    def run(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        return int(ended.value.code or 0)

    return run


@pytest.fixture
def server() -> Iterator[Server]:
    """Start `harness …` as a process; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ending_with_us([sys.executable, "-m", "harness", *arguments]),
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
