"""Locust's side of the call process: orders out, reports in; a dead one is reported and replaced."""

from __future__ import annotations

import itertools
import logging
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Any

import gevent
import msgspec
from gevent import subprocess
from gevent.event import AsyncResult
from gevent.lock import Semaphore
from gevent.queue import Queue

from harness.core.clock import MonotonicClock
from harness.core.errors import HarnessError, UsageError
from harness.load.messages import (
    CallMade,
    Cancel,
    GeneratorMeasured,
    LoadSettings,
    Order,
    Ready,
    Refused,
    Report,
    StageDone,
    line,
    read_report,
)

CALL_SECONDS = 600.0  # no plan takes this long: a call that does is lost, and reported as such
START_SECONDS = 60.0
SILENT_SECONDS = 15.0  # it reports every second: one that says nothing for so long is stuck
STOP_SECONDS = 20.0

logger = logging.getLogger(__name__)


class CallProcessDiedError(HarnessError):
    """The process that makes the calls is gone, and its calls with it."""


class CallProcess:
    """One per Locust process, started by the first order."""

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
        self._orders = itertools.count(1)
        self._waiting: dict[int, Queue[Report | Exception]] = {}
        self._starting = Semaphore()
        self._process: Any = None
        self._ready: AsyncResult = AsyncResult()
        self._clock = MonotonicClock()

    def start(self) -> Ready:
        """Start it where it does not run. Raises UsageError, CallProcessDiedError."""
        with self._starting:
            if self._process is None or self._process.poll() is not None:
                self.restarts += self._process is not None
                self._launch()
            try:
                with gevent.Timeout(START_SECONDS):
                    ready: Ready = self._ready.get()
            except gevent.Timeout:
                self._process.kill()
                raise CallProcessDiedError(
                    f"the call process was not ready within {START_SECONDS:g} s", "see its errors in the log"
                ) from None
            return ready

    def call(
        self, caller: str, number: int, round_: int, placed_at: float | None = None
    ) -> Generator[StageDone | CallMade]:
        """Have a call made: each stage as it ends, then what the call came to. Closing it hangs up.

        Raises CallProcessDiedError where the process dies, sticks, or does not start; UsageError where the
        settings cannot be used.
        """
        self.start()
        order = Order(
            id=next(self._orders),
            caller=caller,
            number=number,
            round=round_,
            placed_at=self._clock.now() if placed_at is None else placed_at,
        )
        reports: Queue[Report | Exception] = Queue()
        self._waiting[order.id] = reports
        made = False
        try:
            self._send(order)
            with gevent.Timeout(CALL_SECONDS, CallProcessDiedError(f"a call took over {CALL_SECONDS:g} s")):
                while not made:
                    report = reports.get()
                    if isinstance(report, Exception):
                        raise report
                    made = isinstance(report, CallMade)
                    yield report
        finally:
            self._waiting.pop(order.id, None)
            if not made:
                self._cancel(order.id)

    def stop(self) -> None:
        """End the process by ending its input; kill it where that does not help. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        process.stdin.close()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            logger.warning("the call process did not end within %g s and was killed", STOP_SECONDS)
            process.kill()
            process.wait()

    # --- inside ---

    def _launch(self) -> None:
        self._ready = AsyncResult()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.load.call_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._send(self.settings)
        gevent.spawn(self._read, self._process, self._ready)

    def _send(self, message: LoadSettings | Order | Cancel) -> None:
        try:
            self._process.stdin.write(line(message))
            self._process.stdin.flush()
        except (OSError, ValueError) as error:  # a pipe that nobody reads, or that is closed already
            raise CallProcessDiedError("the call process went away") from error

    def _cancel(self, order: int) -> None:
        if self._process is not None and self._process.poll() is None:
            try:
                self._send(Cancel(id=order))
            except CallProcessDiedError:
                logger.debug("the call process died before a call could be cancelled")

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
                case StageDone() | CallMade():
                    if (waiting := self._waiting.get(report.id)) is not None:
                        waiting.put(report)
        died = refused or CallProcessDiedError(
            f"the call process died ({_ending(process)}), and its calls with it", "its errors are in the log"
        )
        if self._process is process and refused is None:  # what it refused, it said itself
            logger.error("%s", died)
        if self._process is process and isinstance(died, CallProcessDiedError):
            self._on_died(died.message)
        if not ready.ready():
            ready.set_exception(died)
        for waiting in list(self._waiting.values()):
            waiting.put(died)
        process.stdout.close()

    def _reports(self, process: Any, ready: AsyncResult) -> Iterator[Report]:
        while True:
            text = None
            with gevent.Timeout(SILENT_SECONDS if ready.ready() else START_SECONDS, False):
                text = process.stdout.readline()
            if text is None:
                logger.error("the call process said nothing for too long and was killed")
                process.kill()
                return
            if not text:
                return
            try:
                yield read_report(text)
            except msgspec.DecodeError:
                logger.exception("the call process sent something that is not a report: %.200r", text)


def _ending(process: Any) -> str:
    try:
        status = process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        return "it closed its output"
    return f"signal {-status}" if status < 0 else f"status {status}"
