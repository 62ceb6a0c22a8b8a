"""Locust's statistics as metrics: served while it runs, with its own page or without."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterable
from typing import Any

from gevent.pywsgi import WSGIServer
from locust.env import Environment

from harness.core.errors import UsageError
from harness.load.analysis.health import Health
from harness.load.analysis.metrics import Durations, LoadNow
from harness.report.prometheus import CONTENT_TYPE, exposition

PATH = "/metrics"
_IN_WORDS = re.compile(r"\w+\((['\"])(.*)\1\)", re.DOTALL)  # an exception, as a worker tells its master


class MetricsServer:
    """Listens from when it is made until `stop`. Raises UsageError where it cannot."""

    def __init__(self, answer: Callable[[], str], host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listener = socket.create_server((host, port), family=family)
        except OSError as error:
            raise UsageError(
                f"--metrics: {host}:{port} cannot be bound: {os.strerror(error.errno or 0)}",
                "choose another port",
            ) from error
        self._answer = answer
        self._server = WSGIServer(listener, self._respond, log=None, error_log=None)
        self._server.start()

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def stop(self) -> None:
        """Free the port."""
        self._server.stop()
        self._server.close()

    def _respond(self, environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH or environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [f"ask for GET {PATH}\n".encode()]
        start("200 OK", [("Content-Type", CONTENT_TYPE)])
        return [self._answer().encode()]


def scraped(environment: Environment, health: Health) -> str:
    """What a scraper is answered at this moment."""
    stats = environment.stats
    stages = {
        entry.name: Durations(dict(entry.response_times), entry.total_response_time / 1000)
        for entry in list(stats.entries.values())
        if entry.response_times
    }
    under_way = environment.runner.user_count if environment.runner is not None else 0
    return exposition(LoadNow(stages, failures_of(environment), under_way, health).metrics())


def failures_of(environment: Environment) -> dict[tuple[str, str], int]:
    """Row and cause → how often."""
    found: dict[tuple[str, str], int] = {}
    for error in list(environment.stats.errors.values()):
        place = error.name, _cause(error.error)
        found[place] = found.get(place, 0) + error.occurrences
    return found


def _cause(error: object) -> str:
    told = str(error)
    in_words = _IN_WORDS.fullmatch(told)
    return in_words[2] if in_words else told
