"""A process that a Locust process has beside it: settings and instructions in, reports out.

One that dies, sticks, or says what is no report is told of, and replaced when it is asked for again.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import gevent
import msgspec
from gevent import subprocess
from gevent.event import AsyncResult
from gevent.lock import Semaphore

from harness.core.errors import HarnessError, UsageError
from harness.load.messages import (
    Cancel,
    GeneratorMeasured,
    LoadSettings,
    Order,
    Rate,
    Ready,
    Refused,
    Report,
    line,
    read_report,
)

START_SECONDS = 60.0
SILENT_SECONDS = 15.0  # it reports every second: one that says nothing for so long is stuck
STOP_SECONDS = 20.0

logger = logging.getLogger(__name__)


class CallProcessDiedError(HarnessError):
    """The process that makes the calls, or sends the offers, is gone, and they with it."""


class LoadProcess:
    """Runs `python -m MODULE`, started when it is first asked for. `makes`: what it makes, in the plural."""

    module: ClassVar[str]
    name: ClassVar[str]
    makes: ClassVar[str]

    def __init__(
        self,
        settings: LoadSettings,
        on_measured: Callable[[GeneratorMeasured], None] = lambda _measured: None,
        on_died: Callable[[str], None] = lambda _why: None,
    ) -> None:
        self.settings = settings
        self.restarts = 0
        self._on_measured = on_measured
        self._on_died = on_died
        self._starting = Semaphore()
        self._process: Any = None
        self._ready: AsyncResult = AsyncResult()

    def start(self) -> Ready:
        """Start it where it does not run. Raises UsageError, CallProcessDiedError."""
        with self._starting:
            if not self.is_alive:
                self.restarts += self._process is not None
                self._launch()
            try:
                with gevent.Timeout(START_SECONDS):
                    ready: Ready = self._ready.get()
            except gevent.Timeout:
                self._process.kill()
                raise CallProcessDiedError(
                    f"the {self.name} was not ready within {START_SECONDS:g} s", "see its errors in the log"
                ) from None
            return ready

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End the process by ending its input; kill it where that does not help. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        process.stdin.close()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            logger.warning("the %s did not end within %g s and was killed", self.name, STOP_SECONDS)
            process.kill()
            process.wait()

    # --- for those that are such a process ---

    def heard(self, report: Report) -> None:
        """It told what came of its work."""
        raise NotImplementedError

    def died(self, error: HarnessError) -> None:
        """It is gone, and nothing more will be told."""
        raise NotImplementedError

    def send(self, message: LoadSettings | Order | Cancel | Rate) -> None:
        """Raises CallProcessDiedError where nobody reads."""
        try:
            self._process.stdin.write(line(message))
            self._process.stdin.flush()
        except (OSError, ValueError, AttributeError) as error:  # a pipe that is closed, or none any more
            raise CallProcessDiedError(f"the {self.name} went away") from error

    # --- inside ---

    def _launch(self) -> None:
        self._ready = AsyncResult()
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.send(self.settings)
        gevent.spawn(self._read, self._process, self._ready)

    def _read(self, process: Any, ready: AsyncResult) -> None:
        """Hand out its reports until it ends; then tell everybody who waits."""
        refused: HarnessError | None = None
        for report in self._reports(process, ready):
            match report:
                case Ready():
                    ready.set(report)
                case GeneratorMeasured():
                    self._on_measured(report)
                case Refused():
                    kind = UsageError if report.usage else CallProcessDiedError
                    refused = kind(report.error)
                case _:
                    self.heard(report)
        died = refused or CallProcessDiedError(
            f"the {self.name} died ({_ending(process)}), and its {self.makes} with it",
            "its errors are in the log",
        )
        if self._process is process and refused is None:  # what it refused, it said itself
            logger.error("%s", died)
        if self._process is process and isinstance(died, CallProcessDiedError):
            self._on_died(died.message)
        if not ready.ready():
            ready.set_exception(died)
        self.died(died)
        process.stdout.close()

    def _reports(self, process: Any, ready: AsyncResult) -> Iterator[Report]:
        while True:
            text = None
            with gevent.Timeout(SILENT_SECONDS if ready.ready() else START_SECONDS, False):
                text = process.stdout.readline()
            if text is None:
                logger.error("the %s said nothing for too long and was killed", self.name)
                process.kill()
                return
            if not text:
                return
            try:
                yield read_report(text)
            except msgspec.DecodeError:
                logger.exception("the %s sent something that is not a report: %.200r", self.name, text)


def _ending(process: Any) -> str:
    try:
        status = process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        return "it closed its output"
    return f"signal {-status}" if status < 0 else f"status {status}"
