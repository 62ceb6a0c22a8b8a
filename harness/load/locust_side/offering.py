"""Locust's side of offers alone: a rate out, rows in; a dead process is reported, replaced, and goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable

from gevent.event import Event

from harness.core.clock import MonotonicClock
from harness.core.errors import HarnessError
from harness.load.locust_side.process import LoadProcess
from harness.load.messages import GeneratorMeasured, LoadSettings, OffersMade, OffersOver, Rate, Report

OVER_SECONDS = 60.0  # for the last answers, which have their own time-outs, and for every call's release

Row = Callable[[float | None, str, float], None]

logger = logging.getLogger(__name__)


class OfferProcess(LoadProcess):
    """One per Locust process. `row` is told of each offer: its ms or None, its failure, and when it ended."""

    module = "harness.load.arrivals.ordered"
    name = "offers' process"
    makes = "offers"

    def __init__(
        self,
        settings: LoadSettings,
        row: Row,
        on_measured: Callable[[GeneratorMeasured], None],
        on_died: Callable[[str], None] = lambda _why: None,
    ) -> None:
        super().__init__(settings, on_measured, on_died)
        self._row = row
        self._rates: list[float] = []
        self._over = Event()
        self._over.set()

    def join(self, per_second: float) -> None:
        """One caller more. Raises HarnessError where the process cannot be started; `keep` tries again."""
        self._rates.append(per_second)
        self._order()

    def keep(self) -> None:
        """Start the process again where it died. Raises HarnessError."""
        if not self.is_alive:
            self._order()

    def leave(self, per_second: float) -> None:
        """One caller less. The last waits until every offer has its row."""
        self._rates.remove(per_second)
        if not self.is_alive:
            return
        if not self._rates:
            self._over.clear()
        self._order()
        if not self._over.wait(OVER_SECONDS):
            logger.warning("the last offers had no answer within %g s", OVER_SECONDS)

    def heard(self, report: Report) -> None:
        """Tell its rows."""
        match report:
            case OffersMade():
                for ms in report.ms:
                    self._row(ms, "", report.at)
                for _ in range(report.untimed):
                    self._row(None, "", report.at)
                for failure, count in report.failures.items():
                    for _ in range(count):
                        self._row(None, failure, report.at)
            case OffersOver():
                for why, count in report.left.items():
                    logger.warning("%d calls were not released: %s", count, why)
                self._over.set()

    def died(self, error: HarnessError) -> None:
        """A row says so, where offers were wanted of it."""
        if self._process is not None and (self._rates or not self._over.is_set()):  # nobody stopped it
            self._row(None, str(error), MonotonicClock().now())
        self._over.set()

    def _order(self) -> None:
        self.start()
        self.send(Rate(per_second=sum(self._rates)))
