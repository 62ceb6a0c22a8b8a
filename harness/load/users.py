"""Locust's users: each stage of a call is a row of its own in the statistics."""

from __future__ import annotations

from typing import Any, ClassVar

from locust import User, constant, events, task

from harness.load.orders import CallProcess, CallProcessDiedError

ROWS = {
    "answer": "SDP POST",
    "ice": "ICE connected",
    "set-up": "DC open",
    "turn-detected": "turn detected",
    "first-audio": "first audio",
    "turn": "whole turn",
}


class OneTurnCaller(User):
    """Connects, says one thing, hears the answer, hangs up; again and again."""

    wait_time = constant(1)
    processes: ClassVar[dict[str, CallProcess]] = {}

    @task
    def make_call(self) -> None:
        """Have the worker's call process make one call, and report its stages."""
        host = self.host or ""
        process = self.processes.setdefault(host, CallProcess(host))
        try:
            outcome = process.call("one_turn")
        except (CallProcessDiedError, TimeoutError) as error:
            self._row("call", 0.0, error)
            return
        for stage, row in ROWS.items():
            for milliseconds in outcome["stages"].get(stage, []):
                self._row(row, milliseconds)
        failure = outcome["failure"]
        self._row("call", 1000 * outcome["seconds"], AssertionError(failure) if failure else None)

    def _row(self, name: str, milliseconds: float, error: Exception | None = None) -> None:
        self.environment.events.request.fire(
            request_type="voice",
            name=name,
            response_time=milliseconds,
            response_length=0,
            exception=error,
            context={},
        )


def _stop_call_processes(**_: Any) -> None:
    for process in OneTurnCaller.processes.values():
        process.stop()


events.quitting.add_listener(_stop_call_processes)
