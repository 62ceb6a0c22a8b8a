"""How late and how busy we are ourselves, once a second, in the words of the call process's own meter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from harness.core.clock import Clock, process_cpu_seconds
from harness.load.analysis.health import Health
from harness.load.arrivals.arriving import Arriving
from harness.load.arrivals.talking import Talking
from harness.load.messages import GeneratorMeasured

LAG_SECONDS = 0.02
REPORT_SECONDS = 1.0


class Metering:
    """Measures while `run` does; `restart` and `taken` frame a step."""

    def __init__(self, arriving: Arriving, limits: Mapping[str, float], clock: Clock) -> None:
        self.on_measured: Callable[[GeneratorMeasured], None] = lambda _measured: None
        self._arriving = arriving
        self._limits = limits
        self._clock = clock
        self._health = Health(limits)
        self._lag: list[float] = []

    def restart(self, talking: Talking | None) -> None:
        """A step begins to be measured."""
        self._health = Health(self._limits)
        if talking is not None:
            talking.measured.clear()

    def taken(self, talking: Talking | None) -> Health:
        """The step's, ours and that of the process whose callers talk."""
        health, self._health = self._health, Health(self._limits)
        if talking is not None and talking.measured:
            of_talk = Health(self._limits)
            for measured in talking.measured:
                of_talk.add(measured)
            health.saturated = health.saturated or of_talk.saturated
            health.pacing, health.reading = of_talk.pacing, of_talk.reading
        return health

    @property
    def health(self) -> Health:
        """The step's, so far."""
        return self._health

    async def run(self) -> None:
        """Until cancelled."""
        lagging = asyncio.create_task(self._measure_lag())
        try:
            await self._report_each_second()
        finally:
            lagging.cancel()

    async def _measure_lag(self) -> None:
        while True:
            due = self._clock.now() + LAG_SECONDS
            await asyncio.sleep(LAG_SECONDS)
            self._lag.append(1000 * max(0.0, self._clock.now() - due))

    async def _report_each_second(self) -> None:
        then, used, begun = self._clock.now(), process_cpu_seconds(), self._arriving.begun
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            now, cpu = self._clock.now(), process_cpu_seconds()
            sent, self._arriving.lateness = self._arriving.lateness, []
            lag, self._lag = self._lag, []
            measured = GeneratorMeasured(
                at=now,
                calls=round((self._arriving.begun - begun) / (now - then)),
                cpu=(cpu - used) / (now - then),
                lag=tuple(lag),
                placing=tuple(sent),
            )
            self._health.add(measured)
            self.on_measured(measured)
            then, used, begun = now, cpu, self._arriving.begun
