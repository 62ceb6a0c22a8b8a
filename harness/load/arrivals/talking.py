"""Callers in full conversation while offers arrive: a call process makes their calls, as for Locust."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
from collections import Counter
from collections.abc import AsyncIterator

import msgspec

from harness.call.own_servers import OwnServerEndedError
from harness.core.clock import Clock
from harness.core.errors import HarnessError, UsageError
from harness.load.analysis.rows import CALL
from harness.load.analysis.slo import Window
from harness.load.messages import (
    CallMade,
    GeneratorMeasured,
    LoadSettings,
    Order,
    Ready,
    Refused,
    StageDone,
    line,
    read_report,
)
from harness.platform.children import PIPE, Program, ProgramInput, start_program

START_SECONDS = 60.0
STOP_SECONDS = 20.0
PAUSE_AFTER_FAILURE = 1.0  # as for Locust's callers
LONGEST_LINE = 1 << 20


class Talking:
    """So many callers, each always in a call. Use it in `running()`; `measured` is told of its generator."""

    def __init__(self, settings: LoadSettings, callers: int, clock: Clock) -> None:
        self._settings = settings
        self._callers = callers
        self._clock = clock
        self._rows: list[tuple[float, str, float, str]] = []
        self._ids = itertools.count(1)
        self._made: dict[int, asyncio.Future[CallMade]] = {}
        self._ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self.measured: list[GeneratorMeasured] = []
        self._process: Program | None = None
        self._is_asked_to_stop = False

    @property
    def problem(self) -> str:
        """Why the call process ended by itself; `""` while it runs, or was stopped."""
        status = self._process.returncode if self._process is not None else None
        if status is None or self._is_asked_to_stop:
            return ""
        how = f"signal {-status}" if status < 0 else f"status {status}"
        return f"the call process died ({how}), and its calls with it"

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Entered once all are being called.

        Raises UsageError, HarnessError where it cannot begin, OwnServerEndedError where it ended before.
        """
        process = await start_program(
            (sys.executable, "-m", "harness.load.call_process"), stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE
        )
        self._process = process
        assert process.stdin is not None  # noqa: S101  (asked for)
        assert process.stdout is not None  # noqa: S101  (likewise)
        process.stdin.write(line(self._settings))
        reading = asyncio.create_task(self._read(process, process.stdout))
        callers: list[asyncio.Task[None]] = []
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._ready
            callers = [
                asyncio.create_task(self._call_again_and_again(process.stdin, n))
                for n in range(1, self._callers + 1)
            ]
            yield
        except TimeoutError:
            raise HarnessError(
                f"the call process was not ready within {START_SECONDS:g} s", "see its errors above"
            ) from None
        finally:
            self._is_asked_to_stop = True
            for task in callers:
                task.cancel()
            process.stdin.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
            if process.returncode is None:
                process.kill()
                await process.wait()
            await asyncio.gather(reading, *callers, return_exceptions=True)

    def window(self, since: float, until: float = float("inf")) -> Window:
        """What ended in since <= t < until. A call that broke by our doing says nothing, and is not in it.

        A stage is told of at its turn's end, so what is asked for at once lacks the latest.
        """
        rows: dict[str, list[float]] = {}
        calls = failed = 0
        for at, row, ms, failure in self._rows:
            if not since <= at < until:
                continue
            if row == CALL:
                calls += 1
                failed += bool(failure)
            else:
                rows.setdefault(row, []).append(ms)
        return Window(rows, calls, failed)

    def failures(self, since: float) -> Counter[tuple[str, str]]:
        """(row, failure) → how often."""
        return Counter((row, failure) for at, row, _, failure in self._rows if failure and at >= since)

    async def _call_again_and_again(self, orders: ProgramInput, number: int) -> None:
        for round_ in itertools.count():
            order = Order(
                id=next(self._ids), caller="steady", number=number, round=round_, placed_at=self._clock.now()
            )
            made = self._made[order.id] = asyncio.get_running_loop().create_future()
            orders.write(line(order))
            await orders.drain()
            ended = await made
            if not ended.broken:
                self._rows.append((ended.at, CALL, 0.0, ended.failure))
            if ended.failure or ended.broken:
                await asyncio.sleep(PAUSE_AFTER_FAILURE)

    async def _read(self, process: Program, reports: asyncio.StreamReader) -> None:
        while text := await reports.readline():
            try:
                report = read_report(text)
            except msgspec.DecodeError:
                continue
            match report:
                case Ready():
                    self._ready.set_result(report)
                case Refused(error=error, usage=usage):
                    self._ready.set_exception((UsageError if usage else HarnessError)(error))
                case StageDone(at=at, row=row, ms=ms):
                    self._rows.append((at, row, ms, ""))
                case CallMade():
                    if (made := self._made.pop(report.id, None)) is not None and not made.done():
                        made.set_result(report)
                case GeneratorMeasured():
                    self.measured.append(report)
        if not self._ready.done():
            await process.wait()
            self._ready.set_exception(OwnServerEndedError(self.problem))
