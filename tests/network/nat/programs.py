"""Python programs of this checkout, run on the machines of the test's internet."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.netns import Namespace
from tests.support.programs import ending_with_us

ROOT = Path(__file__).parents[3]
LONGEST_SECONDS = 90.0
STOP_SECONDS = 10.0
Program = subprocess.Popen[str]


@contextmanager
def python(namespace: Namespace, module: str, *arguments: str, **environment: str) -> Iterator[Program]:
    """A module run as a program; killed when left, where it has not ended by itself."""
    with subprocess.Popen(
        [*namespace.prefix, *ending_with_us([sys.executable, "-m", module, *arguments])],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            yield program
        finally:
            program.kill()


@contextmanager
def server(namespace: Namespace, *arguments: str, **environment: str) -> Iterator[None]:
    """`harness …`, which says one line when it is ready and ends at SIGTERM."""
    with python(namespace, "harness", *arguments, **environment) as program:
        assert program.stdout is not None
        if not program.stdout.readline():
            raise RuntimeError(f"harness {arguments[0]} did not start: {program.communicate()[1]}")
        yield
        program.terminate()
        program.communicate(timeout=STOP_SECONDS)


def begin(program: Program) -> None:
    """Tell a program that waits for a line that it may begin."""
    assert program.stdin is not None
    program.stdin.write("\n")
    program.stdin.flush()


def outcome(program: Program, what: str) -> str:
    """What a program printed, once it ended. Raises RuntimeError with what it complained of."""
    output, complaint = program.communicate(timeout=LONGEST_SECONDS)
    if program.returncode != 0:
        raise RuntimeError(f"{what} failed with {program.returncode}: {complaint[-3000:]}")
    return output
