"""Fakes of several workers for tests: in a process of their own, as `harness fake-openai --workers 2` is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.support.programs import ending_with_us

SCRIPT = (
    "from harness.fakes.commands import serve_fake\n"
    "from tests.fakes.callers import quick\n"
    "serve_fake('127.0.0.1:0', quick(), workers=2)\n"
)


@dataclass
class Served:
    """The front's process and where it serves."""

    process: subprocess.Popen[str]
    url: str

    @property
    def workers(self) -> list[psutil.Process]:
        health = httpx.get(f"{self.url}/_fake/health", trust_env=False).json()
        return [psutil.Process(worker["process"]) for worker in health["workers"]]


@contextmanager
def served_by_two() -> Iterator[Served]:
    """A fake with two workers; whatever the test did, no process is left."""
    process = subprocess.Popen(
        ending_with_us([sys.executable, "-c", SCRIPT]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[4],
    )
    try:
        assert process.stdout is not None
        yield Served(process, process.stdout.readline().strip())
    finally:
        process.terminate()
        process.communicate(timeout=15)


def all_gone(processes: list[psutil.Process], within: float = 15.0) -> bool:
    """Whether they have ended, or do so in time."""
    _, alive = psutil.wait_procs(processes, timeout=within)
    return not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]
