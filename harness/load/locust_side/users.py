"""Locust's users. Each is a person on the phone; each stage of a call is a row of the statistics."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from typing import Any, ClassVar

import gevent
from gevent.pool import Pool
from locust import User, constant, task
from locust.exception import StopUser

from harness.core.clock import MonotonicClock
from harness.core.errors import HarnessError
from harness.load.analysis.rows import CALL, OFFER
from harness.load.locust_side.firing import fire_row
from harness.load.locust_side.generator import CallFailed, Generator
from harness.load.locust_side.options import read_values
from harness.load.messages import CallMade

PAUSE_AFTER_BREAKAGE = 2.0  # s: a generator that is broken is not hammered by all its callers
OPEN_CALLS = 5  # of one ChurnCaller: arrivals beyond are failures, not a queue


class VoiceCaller(User):
    """Calls, again and again. The person is drawn from seed and number, and stays the same."""

    abstract = True
    caller: ClassVar[str]

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.generator = Generator.of(environment)
        self.number = self.generator.new_caller()
        self.rounds = 0
        self.failed = False  # the last call

    def on_start(self) -> None:
        """Wait until calls can be placed; one that could not be is a failure, and is tried again."""
        try:
            self.generator.calls(self.host).start()
        except HarnessError as error:
            self._row(CALL, None, error, at=MonotonicClock().now())

    def call(self, placed_at: float | None = None) -> None:
        """Make one call and report its rows; returns when it is over."""
        self.rounds += 1
        at = MonotonicClock().now()
        try:
            calls = self.generator.calls(self.host)
            # Closed in any case: a caller that is stopped hangs up.
            with contextlib.closing(calls.call(self.caller, self.number, self.rounds, placed_at)) as reports:
                for report in reports:
                    if isinstance(report, CallMade):
                        self._made(report)
                    else:
                        self._row(report.row, report.ms, at=report.at)
        except HarnessError as error:
            self.failed = True
            self._row(CALL, None, error, at=at)
            gevent.sleep(PAUSE_AFTER_BREAKAGE)

    def _made(self, made: CallMade) -> None:
        if made.withheld:
            self._row(CALL, None, CallFailed(f"{made.failure} ({made.withheld})"), at=made.at)
            raise StopUser
        error: Exception | None = CallFailed(made.failure) if made.failure else None
        if error is not None and made.row not in ("", CALL):
            self._row(made.row, None, error, at=made.at)
        if error is None and made.broken:
            error = HarnessError(f"the harness broke: {made.broken}")
        self.failed = error is not None
        self._row(CALL, 1000 * made.seconds, error, at=made.at, unreachable=made.unreachable)

    def _row(self, name: str, ms: float | None, error: Exception | None = None, **context: Any) -> None:
        fire_row(self.environment, name, ms, error, **context)


class SteadyCaller(VoiceCaller):
    """A conversation of several turns, then the next."""

    weight = 4
    caller = "steady"
    wait_time = constant(1)

    @task
    def converse(self) -> None:
        """One conversation."""
        self.call()


class ChurnCaller(VoiceCaller):
    """Connects, has one turn, hangs up: an open model. Calls arrive at random times, ready or not.

    A relay that is slow therefore gets no fewer calls, and no slow call hides the ones that should have
    followed it (coordinated omission).
    """

    weight = 2
    caller = "churn"

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._open = Pool(OPEN_CALLS)
        options = read_values(environment.parsed_options)
        self._every: float = options["call_every"]
        self._draw = random.Random(f"{options['seed'] or 0}/{self.number}")  # noqa: S311  (must repeat)
        self._due = 0.0

    def on_start(self) -> None:
        """The first call is due when calls can be placed."""
        super().on_start()
        self._due = MonotonicClock().now()

    @task
    def arrive(self) -> None:
        """Place a call when it is due, and do not wait for it."""
        gevent.sleep(max(0.0, self._due - MonotonicClock().now()))
        if self._open.full():
            error = CallFailed(f"not placed: {OPEN_CALLS} calls of this caller are still open")
            self._row(CALL, None, error, at=self._due)
        else:
            self._open.spawn(self._place, self._due)
        self._due += self._draw.expovariate(1 / self._every)

    def on_stop(self) -> None:
        """Hang up."""
        self._open.kill()

    def _place(self, due: float) -> None:
        try:
            self.call(placed_at=due)
        except StopUser:
            self.stop(force=True)


class ReconnectingCaller(VoiceCaller):
    """Drops in the middle, without a goodbye, and comes back."""

    weight = 1
    caller = "reconnecting"
    wait_time = constant(1)

    @task
    def drop_and_return(self) -> None:
        """Two calls, the first of which breaks off."""
        self.call()


class InterruptingCaller(VoiceCaller):
    """Speaks into the reply."""

    weight = 1
    caller = "interrupting"
    wait_time = constant(1)

    @task
    def cut_in(self) -> None:
        """One call with one interruption."""
        self.call()


class OfferCaller(User):
    """Sends offers alone, and nobody connects: an open model. Its call is released at once.

    All of a process's send through one process of its own, at random moments, so that one costs no greenlet.
    """

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._generator = Generator.of(environment)
        self._per_second = 1 / read_values(environment.parsed_options)["offer_every"]

    def on_start(self) -> None:
        """Offers are sent from now on."""
        self._told(lambda: self._generator.offers(self.host).join(self._per_second))

    @task
    def hold(self) -> None:
        """See that they still are."""
        gevent.sleep(PAUSE_AFTER_BREAKAGE)
        self._told(lambda: self._generator.offers(self.host).keep())

    def on_stop(self) -> None:
        """No more, and the last of them waits for the last answer."""
        self._told(lambda: self._generator.offers(self.host).leave(self._per_second))

    def _told(self, act: Callable[[], None]) -> None:
        try:
            act()
        except HarnessError as error:
            fire_row(self.environment, OFFER, None, error, at=MonotonicClock().now())
