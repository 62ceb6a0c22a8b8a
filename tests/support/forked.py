"""Children of ours that need not load libraries, nor make what each of them would make anew.

An embedded pair costs seconds of a core until it serves: libraries, the official event types,
Opus packets of every reply, the beginnings of all clips, neural detectors. All of that is the same each
time, so tests fork it from a process that has it. tests/fakes/test_embedded.py and whatever a test starts
as a command of its own begin as a user's do.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from multiprocessing.context import ForkServerProcess
from typing import IO

from harness.fakes import children
from tests.support import preloaded


class ForkedChild:
    """What is used of `subprocess.Popen`, over a process that the fork server made."""

    def __init__(self, module: str, errors: IO[bytes]) -> None:
        into, stdin = Pipe(duplex=False)
        stdout, out = Pipe(duplex=False)
        said = Connection(os.dup(errors.fileno()))
        self._process: ForkServerProcess = preloaded.server().Process(
            target=_run, args=(module, into, out, said, dict(os.environ))
        )
        self._process.start()
        for ours in (into, out, said):
            ours.close()
        self.stdin: IO[bytes] = _file(stdin, "wb")
        self.stdout: IO[bytes] = _file(stdout, "rb")

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("the forked child", timeout or 0.0)
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()


def _file(connection: Connection, mode: str) -> IO[bytes]:
    """The descriptor alone: what passes is lines, not messages."""
    descriptor = os.dup(connection.fileno())
    connection.close()
    return os.fdopen(descriptor, mode, buffering=0)


def _run(
    module: str, into: Connection, out: Connection, said: Connection, environment: dict[str, str]
) -> None:
    for descriptor, end in enumerate((into, out, said)):
        os.dup2(end.fileno(), descriptor)
        end.close()
    # multiprocessing gave the process an empty input of its own.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  (for as long as the process)
    os.environ.clear()
    os.environ.update(environment)
    sys.exit(import_module(module).main())


@contextmanager
def forking(wanted: bool = True) -> Iterator[None]:
    """While this lasts, children of ours are forked, or not."""
    before = children.start
    children.start = ForkedChild if wanted else _REAL
    try:
        yield
    finally:
        children.start = before


_REAL = children.start
