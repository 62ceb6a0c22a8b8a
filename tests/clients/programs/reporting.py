"""What the Python clients have in common: reporting, waiting for what must come, recorded speech.

Runs in each client's own environment, so it imports the standard library alone.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import logging
import sys
import traceback
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 30.0


class Report:
    """One program's report, as JSON lines: see `reporting.mjs`."""

    def __init__(self) -> None:
        self._current = "start"
        self.failed = False

    def version(self, package: str) -> None:
        _write(version=importlib.metadata.version(package))

    def problem(self, problem: object) -> None:
        """Whatever the client complains of."""
        _write(problem=_told(problem), during=self._current)

    @contextmanager
    def feature(self, name: str) -> Iterator[None]:
        """One feature; the first that does not work ends the program: what follows could not be trusted."""
        self._current = name
        try:
            yield
        except BaseException as error:
            self.failed = True
            _write(feature=name, failed=_told(error))
            raise
        _write(feature=name)


class Received:
    """All events that arrived, in order, as JSON objects."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._arrived = asyncio.Event()

    @property
    def here(self) -> int:
        return len(self.events)

    def push(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        self._arrived.set()

    async def after(
        self, place: int, kind: str, fits: Callable[[dict[str, Any]], bool] = lambda _event: True
    ) -> dict[str, Any]:
        """The first event of a kind behind a place for which `fits` holds. Raises TimeoutError."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    for event in self.events[place:]:
                        if event["type"] == kind and fits(event):
                            return event
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            came = ", ".join(dict.fromkeys(event["type"] for event in self.events[place:])) or "nothing"
            raise TimeoutError(f"no {kind} as it should be; what came: {came}") from None


def completed(event: dict[str, Any]) -> bool:
    """Whether a response.done is of a reply that came to its end."""
    return bool(event["response"]["status"] == "completed")


def cancelled(reason: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a response.done is of a reply that was cancelled for this reason."""
    return lambda event: (event["response"].get("status_details") or {}).get("reason") == reason


class Setting:
    """Where the fake is: `url` without TLS, an API `key`, and the id of a live `call`."""

    def __init__(self) -> None:
        given = json.loads(sys.argv[1])
        self.url: str = given["url"]
        self.key: str = given["key"]
        self.call: str = given.get("call", "")
        self._folder = Path(given["speech"])

    def speech(self, name: str) -> bytes:
        """`yes`, `wait`, or `silence`."""
        return (self._folder / f"{name}.pcm").read_bytes()

    def file(self, name: str) -> Path:
        """The same as a file, 48 kHz."""
        return self._folder / f"{name}.wav"


def run(package: str, converse: Callable[[Report, Setting], Awaitable[None]]) -> None:
    """Hold a conversation and exit: 0, or 1 where it did not come to its end."""
    report = Report()
    report.version(package)
    warnings.showwarning = lambda message, *_: report.problem(f"warning: {message}")
    logging.basicConfig(level=logging.WARNING, handlers=[_Complaints(report)], force=True)

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: report.problem(context.get("exception") or context["message"])
        )
        await converse(report, Setting())
        left = {task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}}
        if left:
            report.problem(f"the client left tasks behind: {', '.join(sorted(left))}")

    try:
        asyncio.run(main())
    except BaseException as error:  # a client's task may raise whatever it likes
        if not report.failed:
            report.problem(error)
        sys.exit(1)


class _Complaints(logging.Handler):
    """Warnings and errors that a client logs."""

    def __init__(self, report: Report) -> None:
        super().__init__(logging.WARNING)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self._report.problem(f"{record.name}: {record.getMessage()} {trace}".strip())


def _told(problem: object) -> str:
    if isinstance(problem, BaseException):
        return "".join(traceback.format_exception(problem))
    return str(problem)


def _write(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
