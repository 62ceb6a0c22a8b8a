"""A row of Locust's statistics, told to Locust."""

from __future__ import annotations

from typing import Any

from locust.env import Environment

from harness.core.errors import HarnessError
from harness.core.printable import printable

REQUEST_TYPE = "voice"


def fire_row(
    environment: Environment, name: str, ms: float | None, error: Exception | None = None, **context: Any
) -> None:
    """`ms` is None for what was not timed. `context` has the moment, as `at`."""
    if error is not None:
        error.args = tuple(printable(str(said)) for said in error.args)  # for Locust's pages and tables
    environment.events.request.fire(
        request_type=REQUEST_TYPE,
        name=name,
        response_time=ms,
        response_length=0,
        exception=error,
        context={**context, "ours": isinstance(error, HarnessError)},
    )
