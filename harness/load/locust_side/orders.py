"""Locust's side of the call process: orders out, reports in; a dead one is reported and replaced."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Generator

import gevent
from gevent.queue import Queue

from harness.core.clock import MonotonicClock
from harness.core.errors import HarnessError
from harness.load.locust_side.process import CallProcessDiedError, LoadProcess
from harness.load.messages import CallMade, Cancel, GeneratorMeasured, LoadSettings, Order, Report, StageDone

CALL_SECONDS = 600.0  # no plan takes this long: a call that does is lost, and reported as such

logger = logging.getLogger(__name__)


class CallProcess(LoadProcess):
    """One per Locust process, started by the first order."""

    module = "harness.load.call_process"
    name = "call process"
    makes = "calls"

    def __init__(
        self,
        settings: LoadSettings,
        on_measured: Callable[[GeneratorMeasured], None] = lambda _measured: None,
        on_died: Callable[[str], None] = lambda _why: None,
    ) -> None:
        super().__init__(settings, on_measured, on_died)
        self._orders = itertools.count(1)
        self._waiting: dict[int, Queue[Report | Exception]] = {}
        self._clock = MonotonicClock()

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
            self.send(order)
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

    def heard(self, report: Report) -> None:
        """Hand it to who waits for it."""
        if isinstance(report, StageDone | CallMade) and (waiting := self._waiting.get(report.id)) is not None:
            waiting.put(report)

    def died(self, error: HarnessError) -> None:
        """Tell everybody who waits."""
        for waiting in list(self._waiting.values()):
            waiting.put(error)

    def _cancel(self, order: int) -> None:
        if self.is_alive:
            try:
                self.send(Cancel(id=order))
            except CallProcessDiedError:
                logger.debug("the call process died before a call could be cancelled")
