"""How late and how busy the call process itself is: measured all the time, so as not to blame the relay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import psutil

from harness.core.clock import Clock, MonotonicClock, process_cpu_seconds
from harness.load.messages import GeneratorMeasured
from harness.peer.datagrams import reading_lateness
from harness.peer.pacer import Pacer
from harness.platform.descriptors import open_descriptors

LAG_SECONDS = 0.05
REPORT_SECONDS = 1.0


class Meter:
    """Reports once a second until cancelled. A stream of its own in the pacer meets what every call meets."""

    def __init__(self, report: Callable[[GeneratorMeasured], None], clock: Clock | None = None) -> None:
        self.calls = 0
        self._report = report
        self._clock = clock or MonotonicClock()
        self._process = psutil.Process()
        self._pacing: list[float] = []
        self._lag: list[float] = []
        self._placing: list[float] = []

    def placed(self, at: float) -> None:
        """An order written `at` is begun now."""
        self._placing.append(1000 * max(0.0, self._clock.now() - at))

    async def run(self) -> None:
        """Measure, for as long as this process makes calls."""
        stop_ticking = Pacer.shared().add(self._tick)
        lagging = asyncio.create_task(self._measure_lag(), name="meter-lag")
        try:
            await self._report_each_second()
        finally:
            lagging.cancel()
            stop_ticking()

    def _tick(self, deadline: float) -> None:
        self._pacing.append(1000 * max(0.0, self._clock.now() - deadline))

    async def _measure_lag(self) -> None:
        while True:
            due = self._clock.now() + LAG_SECONDS
            await asyncio.sleep(LAG_SECONDS)
            self._lag.append(1000 * max(0.0, self._clock.now() - due))

    async def _report_each_second(self) -> None:
        then, used = self._clock.now(), process_cpu_seconds()
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            now, cpu = self._clock.now(), process_cpu_seconds()
            self._report(
                GeneratorMeasured(
                    at=now,
                    calls=self.calls,
                    cpu=round((cpu - used) / (now - then), 4),
                    pacing=_taken(self._pacing),
                    lag=_taken(self._lag),
                    reading=tuple(round(1000 * late, 2) for late in reading_lateness()),
                    placing=_taken(self._placing),
                    rss=self._process.memory_info().rss,
                    descriptors=open_descriptors(self._process),
                    tasks=len(asyncio.all_tasks()),
                )
            )
            then, used = now, cpu


def _taken(values: list[float]) -> tuple[float, ...]:
    taken = tuple(round(value, 2) for value in values)
    values.clear()
    return taken
