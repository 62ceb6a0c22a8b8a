"""Locust's side of the call process: orders out, outcomes in, and a dead process is reported and replaced."""

from __future__ import annotations

import itertools
import json
import sys
from typing import Any

import gevent
from gevent import subprocess
from gevent.event import AsyncResult
from gevent.lock import Semaphore

CALL_SECONDS = 180.0  # no plan takes this long: a call that does is lost, and reported as such
START_SECONDS = 60.0


class CallProcessDiedError(RuntimeError):
    """The process that makes the calls is gone, and its calls with it."""


class CallProcess:
    """One per Locust worker, started by the first order."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._orders = itertools.count(1)
        self._waiting: dict[int, AsyncResult] = {}
        self._starting = Semaphore()
        self._process: Any = None
        self._ready: AsyncResult = AsyncResult()

    def call(self, plan: str) -> dict[str, Any]:
        """Have one call made. Raises CallProcessDiedError, or TimeoutError past `CALL_SECONDS`."""
        process = self._running()
        order, result = next(self._orders), AsyncResult()
        self._waiting[order] = result
        try:
            process.stdin.write(json.dumps({"id": order, "plan": plan}).encode() + b"\n")
            process.stdin.flush()
            with gevent.Timeout(CALL_SECONDS, TimeoutError(f"the call took over {CALL_SECONDS:g} s")):
                outcome: dict[str, Any] = result.get()
        except OSError as error:
            raise CallProcessDiedError("the call process went away") from error
        else:
            return outcome
        finally:
            self._waiting.pop(order, None)

    def stop(self) -> None:
        """End the process by ending its input; kill it where that does not help."""
        process, self._process = self._process, None
        if process is None:
            return
        process.stdin.close()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _running(self) -> Any:
        with self._starting:
            if self._process is None or self._process.poll() is not None:
                self._ready = AsyncResult()
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "harness.load.call_process", self._host],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
                gevent.spawn(self._read, self._process, self._ready)
            with gevent.Timeout(START_SECONDS, TimeoutError("the call process did not start")):
                self._ready.get()
            return self._process

    def _read(self, process: Any, ready: AsyncResult) -> None:
        error = "the call process died"
        for line in process.stdout:
            reply = json.loads(line)
            if "ready" in reply:
                ready.set(reply)
            elif "error" in reply:
                error = reply["error"]
            elif (result := self._waiting.get(reply["id"])) is not None:
                result.set(reply)
        died = CallProcessDiedError(error)
        if not ready.ready():
            ready.set_exception(died)
        for result in list(self._waiting.values()):
            result.set_exception(died)
        process.stdout.close()
