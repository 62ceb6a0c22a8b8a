"""The shape that looks for the edge: Locust asks it once a second how many callers there should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from locust.shape import LoadTestShape

from harness.core.clock import Clock
from harness.load.analysis.health import Health
from harness.load.analysis.search import Search
from harness.load.analysis.slo import Slo
from harness.load.analysis.steps import LoadStep, enough
from harness.load.locust_side.session import LoadSession

FEWEST_SAMPLES = 20  # for a p95; waited for, up to `LONGEST` times a step
LONGEST = 3
RAMP_SECONDS = 4.0  # to put a step's new callers in place
LEAST_PER_SECOND = 2.0
EMPTY_SECONDS = 2.0  # without a call, before going on after something broke


@dataclass(frozen=True)
class Pace:
    """Seconds: of a step's measurement, and of settling before it."""

    measure: float
    settle: float


class ClimbingShape(LoadTestShape):
    """Fills a level, lets it settle, measures it, tells the search.

    After one that broke it lets all calls end first: what they suffer would be blamed on the next.
    """

    def __init__(
        self,
        session: LoadSession,
        search: Search,
        slos: tuple[Slo, ...],
        pace: Pace,
        on_step: Callable[[LoadStep], None],
        on_status: Callable[[str], None],
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Locust's has no annotations
        self.steps: list[LoadStep] = []
        self._session = session
        self._search = search
        self._slos = slos
        self._pace = pace
        self._on_step = on_step
        self._on_status = on_status
        self._clock: Clock = session.clock
        self.begun = session.clock.now()
        self._emptying = False
        self._empty_since: float | None = None
        self._filled_at: float | None = None
        self._rate = LEAST_PER_SECOND

    def tick(self) -> tuple[int, float] | None:
        """(callers, callers a second), or None at the end."""
        now = self._clock.now()
        if self._session.generator.broke:
            return None
        if self._emptying and not self._is_empty(now):
            self._on_status("  letting the calls end")
            return 0, float(self._search.level + 1)
        self._emptying = False
        if self._filled_at is None and self._session.runner.user_count >= self._search.level:
            self._filled_at = now
        if self._filled_at is not None and self._measured(now):
            self._finish_step(now)
            if self._search.done:
                return None
        return self._wanted()

    def _wanted(self) -> tuple[int, float]:
        if self._emptying:
            return 0, float(self._search.level + 1)
        missing = self._search.level - self._session.runner.user_count
        if missing > 0:  # else as before: another rate would be another order to Locust
            self._rate = max(LEAST_PER_SECOND, missing / RAMP_SECONDS)
        return self._search.level, self._rate

    def _is_empty(self, now: float) -> bool:
        last = self._session.generator.last
        if self._session.runner.user_count or (last is not None and last.calls):
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = now
        return self._empty_since is not None and now - self._empty_since >= EMPTY_SECONDS

    def _measured(self, now: float) -> bool:
        """Whether the step is over: long enough, and with samples enough for a percentile."""
        assert self._filled_at is not None  # noqa: S101  (asked only then)
        begin = self._filled_at + self._pace.settle
        level, elapsed = self._search.level, now - begin
        if elapsed < 0:
            self._session.generator.health = Health(self._session.generator.health.limits)
            self._on_status(f"  {level} calls: settling")
            return False
        window = self._session.recorder.window(begin)
        self._on_status(f"  {level} calls: {elapsed:.0f} s, {window.calls} ended, {window.failed} failed")
        if self._session.generator.health.saturated or elapsed >= LONGEST * self._pace.measure:
            return True
        return elapsed >= self._pace.measure and enough(window, self._slos, FEWEST_SAMPLES)

    def _finish_step(self, now: float) -> None:
        assert self._filled_at is not None  # noqa: S101  (asked only then)
        begin = self._filled_at + self._pace.settle
        generator, recorder = self._session.generator, self._session.recorder
        step = LoadStep(
            calls=self._search.level,
            seconds=now - begin,
            window=recorder.window(begin),
            health=generator.health,
            slos=self._slos,
            failures=recorder.failures(begin),
            since=begin - self.begun,
        )
        generator.health = Health(generator.health.limits)  # the step keeps its own
        self.steps.append(step)
        self._on_step(step)
        self._filled_at = None
        match step.outcome:
            case "saturated":
                self._search.too_many_for_us()
            case "inconclusive":  # another level would be no longer
                self._search.done = True
                return
            case _:
                self._search.learned(held=step.outcome == "held")
        self._emptying = step.outcome != "held"
        self._empty_since = None
