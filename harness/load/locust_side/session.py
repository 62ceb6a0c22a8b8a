"""Locust as a library: one environment, one local runner, one generator, and a way to stop it."""

from __future__ import annotations

from contextlib import closing

import gevent
from locust.env import Environment
from locust.runners import LocalRunner
from locust.shape import LoadTestShape

from harness.core.clock import MonotonicClock
from harness.core.errors import HarnessError, TargetUnreachableError
from harness.load.analysis.recorder import Recorder
from harness.load.asked import Asked
from harness.load.locust_side.exposing import MetricsServer, scraped
from harness.load.locust_side.generator import Generator
from harness.load.locust_side.options import check_options
from harness.load.locust_side.users import InterruptingCaller, ReconnectingCaller, SteadyCaller, VoiceCaller
from harness.load.messages import CallMade, Ready
from harness.platform.signals import INTERRUPTING, heeded

PAUSE_AFTER_FAILURE = 1.0  # s: a target that refuses at once is not hammered
FIRST_CALLER = 0


def _at_once_unless_it_failed(caller: VoiceCaller) -> float:
    return PAUSE_AFTER_FAILURE if caller.failed else 0.0


class ConcurrentSteady(SteadyCaller):
    """Always in a call, so that the number of callers is the number of calls."""

    wait_time = _at_once_unless_it_failed


class ConcurrentReconnecting(ReconnectingCaller):
    """As above."""

    wait_time = _at_once_unless_it_failed


class ConcurrentInterrupting(InterruptingCaller):
    """As above."""

    wait_time = _at_once_unless_it_failed


CALLERS: dict[str, type[VoiceCaller]] = {
    "steady": ConcurrentSteady,
    "reconnecting": ConcurrentReconnecting,
    "interrupting": ConcurrentInterrupting,
}


class LoadSession:
    """Raises UsageError for options that cannot be used. Use it in a `with`."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.options = asked.as_locust()
        check_options(self.options)
        self.environment = Environment(
            user_classes=[CALLERS[asked.values["caller"]]],
            host=asked.url or None,
            parsed_options=self.options,
        )
        self.runner: LocalRunner = self.environment.create_local_runner()
        self.generator = Generator.of(self.environment)
        self.recorder = Recorder()
        self.clock = MonotonicClock()
        self.interrupted = False
        self.ready: Ready | None = None
        self.environment.events.request.add_listener(self.recorder.hear)
        self._metrics: MetricsServer | None = None

    def __enter__(self) -> LoadSession:
        if self.asked.values["metrics"] is not None:
            self._metrics = MetricsServer(
                lambda: scraped(self.environment, self.generator.health), *self.asked.values["metrics"]
            )
        for number in heeded(INTERRUPTING):
            gevent.signal_handler(number, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        if self._metrics is not None:
            self._metrics.stop()
        self.runner.quit()
        self.generator.stop()

    def first_call(self) -> str:
        """One ordinary call before the many: its failure, or "".

        Raises TargetUnreachableError, or HarnessError where we broke.
        """
        self.generator.reset()
        calls = self.generator.calls(self.environment.host)
        self.ready = calls.start()
        with closing(calls.call(self.asked.values["caller"], FIRST_CALLER, 0)) as reports:
            made = next(report for report in reports if isinstance(report, CallMade))
        if made.unreachable:
            raise TargetUnreachableError(
                f"nothing answered at {self.ready.target}: {made.failure}",
                "is the relay running, and is the URL right, with its path?",
            )
        if made.broken:
            raise HarnessError(f"the first call broke: {made.broken}")
        return made.failure

    @property
    def broke(self) -> str:
        """What broke on our own side, so that the run is no proof; empty where nothing did."""
        if self.generator.broke or not self.recorder.broken:
            return self.generator.broke
        calls, (first, _) = self.recorder.broken.total(), self.recorder.broken.most_common(1)[0]
        return f"{calls} call{'s' if calls > 1 else ''} broke by our own doing: {first}"

    def run(self, shape: LoadTestShape) -> None:
        """Let Locust follow the shape until it ends or somebody stops it."""
        shape.runner = self.runner
        self.environment.shape_class = shape
        self.runner.start_shape()
        if self.runner.shape_greenlet is not None and not self.interrupted:
            self.runner.shape_greenlet.join()
        self.runner.stop()

    def _interrupt(self) -> None:
        self.interrupted = True
        gevent.spawn(self.runner.stop)
