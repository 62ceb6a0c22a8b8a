"""What this Locust process makes its calls with: settings, call process, and how well it keeps up."""

from __future__ import annotations

import logging
from typing import ClassVar
from weakref import WeakKeyDictionary

import msgspec
from gevent.lock import Semaphore
from locust.env import Environment

from harness.load.analysis.health import Health
from harness.load.analysis.rows import OFFER
from harness.load.locust_side.firing import fire_row
from harness.load.locust_side.offering import OfferProcess
from harness.load.locust_side.options import load_settings
from harness.load.locust_side.orders import CallProcess
from harness.load.messages import GeneratorMeasured, LoadSettings

CALLERS_A_PROCESS = 10_000  # numbers of callers, so that no two workers have the same person

logger = logging.getLogger(__name__)


class CallFailed(AssertionError):  # noqa: N818  (a verdict on the target, not an error of ours)
    """`REQUIREMENT: CAUSE`, as the scenarios judge it."""


class Generator:
    """One for each Locust environment; its call process starts with the first caller.

    A process for offers alone starts with the first OfferCaller; `health_of_offers` is its.
    """

    _of_environment: ClassVar[WeakKeyDictionary[Environment, Generator]] = WeakKeyDictionary()

    def __init__(self, environment: Environment) -> None:
        self.health = Health()
        self.health_of_offers = Health()
        self.last: GeneratorMeasured | None = None
        self.broke = ""  # why the calls of a process were lost; "" while none were
        self._environment = environment
        self._callers = 0
        self._calls: CallProcess | None = None
        self._offers: OfferProcess | None = None
        self._opening = Semaphore()
        self._embedded = ""  # where the embedded pair takes offers, once they are sent there

    @classmethod
    def of(cls, environment: Environment) -> Generator:
        """The environment's generator."""
        return cls._of_environment.setdefault(environment, cls(environment))

    @classmethod
    def environments(cls) -> list[Environment]:
        """The environments that have one: one, except in tests."""
        return list(cls._of_environment)

    def reset(self) -> None:
        """A new test begins: what was measured of the one before is over."""
        self.broke = ""
        limits = load_settings(self._environment.parsed_options, self._environment.host).limits
        self.health, self.health_of_offers = Health(limits), Health(limits)

    def whole_health(self) -> Health:
        """Of both processes together. What is counted are calls."""
        if not self.health_of_offers.calls:
            return self.health
        whole = Health.of_workers([self.health.as_report(), self.health_of_offers.as_report()])
        whole.calls, whole.carried = self.health.calls, self.health.carried
        return whole

    def new_caller(self) -> int:
        """A number that no other caller of the run has."""
        worker = max(0, getattr(self._environment.runner, "worker_index", 0))
        self._callers += 1
        return worker * CALLERS_A_PROCESS + self._callers

    def calls(self, host: str | None) -> CallProcess:
        """The call process for a host; another host (typed into the web UI) gets another process."""
        settings = load_settings(self._environment.parsed_options, host)
        if self._calls is None or self._calls.settings != settings:
            self._stop_calls()
            self._calls = CallProcess(settings, self._measured, self._died)
        return self._calls

    def offers(self, host: str | None) -> OfferProcess:
        """The process that sends offers alone to a host; without one, to the call process's embedded pair.

        Raises HarnessError where that does not start.
        """
        settings = load_settings(self._environment.parsed_options, host)
        with self._opening:  # the embedded pair takes its time, and all callers begin at once
            if self._offers is None or self._offers.settings.host != (settings.host or self._embedded):
                if self._offers is not None:
                    self._offers.stop()
                settings = self._with_target(settings)
                self._offers = OfferProcess(settings, self._offered, self._measured_of_offers, self._died)
        return self._offers

    def stop(self) -> None:
        """End both processes. Idempotent."""
        offers, self._offers = self._offers, None
        if offers is not None:
            offers.stop()
        self._stop_calls()

    # --- inside ---

    def _stop_calls(self) -> None:
        calls, self._calls = self._calls, None
        if calls is not None:
            calls.stop()

    def _with_target(self, settings: LoadSettings) -> LoadSettings:
        if settings.host:
            return settings
        ready = self.calls(None).start()
        self._embedded = ready.target
        texts = {**settings.texts, "fake_openai": ready.fake.removeprefix("http://")}
        return msgspec.structs.replace(settings, host=ready.target, texts=texts)

    def _offered(self, ms: float | None, failure: str, at: float) -> None:
        error = CallFailed(failure) if failure else None
        fire_row(self._environment, OFFER, ms, error, at=at)

    def _died(self, why: str) -> None:
        self.broke = self.broke or why

    def _measured(self, measured: GeneratorMeasured) -> None:
        self.last = measured
        self._add(self.health, measured)

    def _measured_of_offers(self, measured: GeneratorMeasured) -> None:
        self._add(self.health_of_offers, measured)

    def _add(self, health: Health, measured: GeneratorMeasured) -> None:
        was_fine = not health.saturated
        health.add(measured)
        if was_fine and health.saturated:
            logger.warning("the generator is saturated: %s", health.saturated)
