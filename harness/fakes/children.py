"""Starting Python processes of our own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Protocol


class Child(Protocol):
    """A process of ours with pipes at its standard input and output: what is used of `subprocess.Popen`."""

    @property
    def stdin(self) -> IO[bytes] | None: ...
    @property
    def stdout(self) -> IO[bytes] | None: ...
    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def kill(self) -> None: ...


def start(module: str, errors: IO[bytes]) -> Child:
    """`python -m MODULE`, whose standard error is a file."""
    return subprocess.Popen(  # noqa: S603  (our own module)
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=environment(),
    )


def environment() -> dict[str, str]:
    """Ours, in which a child finds this very package wherever it is started."""
    package = Path(__file__).parents[2]
    paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
