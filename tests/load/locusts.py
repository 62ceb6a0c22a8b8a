"""Running Locust as its users do: as a program, on loopback."""

from __future__ import annotations

import csv
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import psutil

from tests.support.programs import ending_with_us

ROOT = Path(__file__).parents[2]
# How late the generator is does not matter to these tests, and the machine has other work.
PATIENT = ("--limit=lateness_p99_ms=5000",)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py"), *arguments]


@contextmanager
def started(cwd: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Locust that is ended, with all its children, when the test is over."""
    log = (cwd / f"log-{len(list(cwd.glob('log-*')))}").open("w+")
    process = subprocess.Popen(
        ending_with_us(command(*arguments)), cwd=cwd, stdout=log, stderr=log, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        log.close()


def run(cwd: Path, *arguments: str, seconds: float = 90) -> tuple[int, dict[str, dict[str, str]], str]:
    """Exit code, rows by name, and the failures file."""
    prefix = cwd / "load"
    with started(cwd, "--headless", f"--csv={prefix}", *PATIENT, *arguments) as process:
        code = process.wait(seconds)
    return code, rows(cwd), (cwd / "load_failures.csv").read_text()


def rows(cwd: Path) -> dict[str, dict[str, str]]:
    with (cwd / "load_stats.csv").open() as file:
        return {row["Name"]: row for row in csv.DictReader(file)}


def logged(cwd: Path) -> str:
    return "".join(path.read_text() for path in sorted(cwd.glob("log-*")))


def call_process(locust: subprocess.Popen[str]) -> psutil.Process:
    """The process that makes a Locust's calls."""
    return process_of(locust, "harness.load.call_process")


def process_of(locust: subprocess.Popen[str], module: str, within: float = 60) -> psutil.Process:
    """The one that it started of this module."""
    deadline = monotonic() + within
    while monotonic() < deadline:
        for child in psutil.Process(locust.pid).children(recursive=True):
            with suppress(psutil.Error):  # it ended while we looked
                if module in child.cmdline():
                    return child
        sleep(0.1)
    raise AssertionError(f"no {module} was started")


def free_port() -> int:
    """Below those that the kernel hands out by itself, so that nobody is given it before Locust has it."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.SystemRandom().sample(range(first - 10_000, first), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")
