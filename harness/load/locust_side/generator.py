"""What this Locust process makes its calls with: settings, call process, and how well it keeps up."""

from __future__ import annotations

import logging
from typing import ClassVar
from weakref import WeakKeyDictionary

from locust.env import Environment

from harness.load.analysis.health import Health
from harness.load.locust_side.options import load_settings
from harness.load.locust_side.orders import CallProcess
from harness.load.messages import GeneratorMeasured

CALLERS_A_PROCESS = 10_000  # numbers of callers, so that no two workers have the same person

logger = logging.getLogger(__name__)


class Generator:
    """One for each Locust environment; its call process starts with the first caller."""

    _of_environment: ClassVar[WeakKeyDictionary[Environment, Generator]] = WeakKeyDictionary()

    def __init__(self, environment: Environment) -> None:
        self.health = Health()
        self.last: GeneratorMeasured | None = None
        self.broke = ""  # why the calls of a process were lost; "" while none were
        self._environment = environment
        self._callers = 0
        self._calls: CallProcess | None = None

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
        self.health = Health(load_settings(self._environment.parsed_options, self._environment.host).limits)

    def new_caller(self) -> int:
        """A number that no other caller of the run has."""
        worker = max(0, getattr(self._environment.runner, "worker_index", 0))
        self._callers += 1
        return worker * CALLERS_A_PROCESS + self._callers

    def calls(self, host: str | None) -> CallProcess:
        """The call process for a host; another host (typed into the web UI) gets another process."""
        settings = load_settings(self._environment.parsed_options, host)
        if self._calls is None or self._calls.settings != settings:
            self.stop()
            self._calls = CallProcess(settings, self._measured, self._died)
        return self._calls

    def stop(self) -> None:
        """End the call process. Idempotent."""
        calls, self._calls = self._calls, None
        if calls is not None:
            calls.stop()

    # --- inside ---

    def _died(self, why: str) -> None:
        self.broke = self.broke or why

    def _measured(self, measured: GeneratorMeasured) -> None:
        was_fine = not self.health.saturated
        self.last = measured
        self.health.add(measured)
        if was_fine and self.health.saturated:
            logger.warning("the generator is saturated: %s", self.health.saturated)
