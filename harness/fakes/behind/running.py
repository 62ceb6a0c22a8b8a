"""Running a command of somebody's: its terminal, signals and exit code are its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

import psutil

from harness.core.clock import Clock, MonotonicClock
from harness.core.errors import HarnessError, UsageError
from harness.fakes.behind.environment import CONNECTED, LOADED, PAST, hooked
from harness.platform.children import startable
from harness.platform.ourselves import is_in_foreground
from harness.platform.signals import heeded, those_of

Tell = Callable[[str], None]

POLL_SECONDS = 0.2
END_SECONDS = 3.0  # for a command to end when it is told to
FORWARDED = those_of("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGBREAK")
OF_THE_TERMINAL = those_of("SIGINT", "SIGQUIT", "SIGBREAK")
HOOKLESS = ("bun", "bunx", "deno")
INSTEAD = "give it OPENAI_BASE_URL={base}/v1 instead, where it reads that"


def run_behind(
    command: Sequence[str],
    *,
    fake: str,
    hosts: Sequence[str],
    tell: Tell,
    tell_after: float = 30.0,
    environment: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
    lost: Callable[[], str] = lambda: "",
) -> int:
    """Run the command to its end, with its requests to `hosts` led to the fake; its exit code.

    As in a shell, that is 128 and the signal's number where one ended it. `tell` is told what comes of it:
    once `tell_after` seconds are over without a request, and at the end. `lost` says why there is no fake any
    more: then the command is ended. Raises UsageError where it cannot be started, HarnessError where it was
    ended so.
    """
    watched = clock or MonotonicClock()
    named = ", ".join(hosts)
    instead = INSTEAD.format(base=fake)
    if Path(command[0]).stem in HOOKLESS:
        tell(f"{Path(command[0]).stem} loads no hook of Node.js's, so its requests stay its own: {instead}")
    with tempfile.TemporaryDirectory(prefix="harness-behind-") as folder:
        seen = Path(folder)
        process = _started(command, hooked(environment, fake=fake, hosts=hosts, seen=seen))
        told_nothing_came = told_past = False
        began = watched.now()
        with _passed_on(process):
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_SECONDS)
                    break
                if why := lost():
                    _end(process)
                    raise HarnessError(f"the command was ended: {why}")
                if not told_past and (past := _past(seen)):
                    told_past = True
                    tell(f"{past}, so its requests are not led to the fake: {instead}")
                if told_nothing_came or watched.now() - began < tell_after:
                    continue
                told_nothing_came = True
                if not _lines(seen, CONNECTED):
                    tell(f"{tell_after:g} s: {_why_nothing(seen, named, instead)}")
        connections = len(_lines(seen, CONNECTED))
        if connections:
            tell(f"{connections} connection{'s' if connections > 1 else ''} to {named} went to the fake")
        else:
            tell(_why_nothing(seen, named, instead))
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _started(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(startable(command), env=dict(environment))  # noqa: S603  (their own command)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"{command[0]!r} cannot be started: {why}",
            "give the command as a shell would start it: npm run dev",
        ) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """The command, and all that it started."""
    family = [psutil.Process(process.pid)]
    family += family[0].children(recursive=True)
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for each in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                end(each)
        _, family = psutil.wait_procs(family, END_SECONDS)
    process.wait()


def _lines(seen: Path, name: str) -> list[str]:
    try:
        return (seen / name).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _past(seen: Path) -> str:
    """What the command uses that no hook reaches; empty where there is nothing."""
    names = sorted({line.split()[0] for line in _lines(seen, PAST)})
    return f"the command uses {', '.join(names)}, with an encryption of its own" if names else ""


def _why_nothing(seen: Path, hosts: str, instead: str) -> str:
    if not _lines(seen, LOADED):
        return (
            "no process of the command loaded a hook: it runs neither Node.js nor Python, or clears "
            f"NODE_OPTIONS and PYTHONPATH (python -I and -S do); {instead}"
        )
    if past := _past(seen):
        return f"no request to {hosts} came to the fake: {past}; {instead}"
    return (
        f"no request to {hosts} so far: make a call through the relay; if it is answered, the relay has "
        "another upstream: name its host with --host"
    )


@contextlib.contextmanager
def _passed_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """What we are told to do, the command is told; what the terminal says, it hears by itself.

    Not every program tells those that it started (npm does not): those that outlive it are told then.
    """
    told: dict[psutil.Process, int] = {}

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if number in OF_THE_TERMINAL and is_in_foreground():
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            told.update(dict.fromkeys(psutil.Process(process.pid).children(recursive=True), number))
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)

    before = [(number, signal.signal(number, pass_on)) for number in heeded(FORWARDED)]
    try:
        yield
    finally:
        for each, handler in before:
            signal.signal(each, handler)
        for outliving, number in told.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                outliving.send_signal(number)
