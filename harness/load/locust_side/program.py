"""What `harness capacity` and `harness soak` have in common as programs: errors in words, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from harness.core.errors import HarnessError, TargetUnreachableError, UsageError
from harness.core.printable import make_logs_printable, printable
from harness.load.locust_side.terminal import Progress, complain
from harness.report.html import write_load_html
from harness.report.plot import standalone

VIOLATING, USAGE, UNREACHABLE, INCONCLUSIVE = 1, 2, 3, 4
INTERRUPTED = 130  # as a shell reports SIGINT


@dataclass(frozen=True)
class LoadEnding:
    """How a run ended. In `reports`, `document` is NAME.json, `plot` NAME.svg, and both are in NAME.html.

    `repeat`: the command that does it again.
    """

    name: str
    sentence: str
    code: int
    document: dict[str, Any]
    plot: Markup
    reports: Path
    repeat: str


def run_program(run: Callable[[str, Progress], LoadEnding], arguments: list[str]) -> int:
    """Run what the one argument (JSON) asks for, write its report, and return the exit code."""
    make_logs_printable()
    progress = Progress()
    try:
        ending = run(arguments[0], progress)
        written = _write(ending)
    except HarnessError as error:
        complain(f"harness: {error}")
        if isinstance(error, UsageError):
            return USAGE
        return UNREACHABLE if isinstance(error, TargetUnreachableError) else INCONCLUSIVE
    progress.line(ending.sentence)
    progress.line(f"report in {written}")
    return ending.code


def _write(ending: LoadEnding) -> Path:
    folder = ending.reports
    path = folder / f"{ending.name}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        document = json.dumps(ending.document, indent=1, ensure_ascii=False)
        path.write_text(printable(document, lines=True) + "\n", encoding="utf-8")
        path.with_suffix(".svg").write_text(standalone(ending.plot), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the report cannot be written: {error}", "choose another --reports DIR") from error
    return write_load_html(path.with_suffix(".html"), ending.document, ending.plot, ending.repeat)
