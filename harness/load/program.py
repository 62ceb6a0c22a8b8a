"""What `harness capacity` and `harness soak` have in common as programs: errors in words, exit codes."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from markupsafe import Markup

from harness.core.errors import HarnessError, TargetUnreachableError, UsageError
from harness.core.exit_codes import INCONCLUSIVE, UNREACHABLE, USAGE
from harness.core.printable import make_logs_printable, printable
from harness.load.asked import Asked
from harness.load.terminal import Progress, complain
from harness.report.folder import claimed
from harness.report.html import write_load_html
from harness.report.plot import standalone
from harness.run import early


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


def run_program(
    name: Literal["capacity", "soak"], run: Callable[[Asked, Progress], LoadEnding], arguments: list[str]
) -> int:
    """Run what the one argument (`Asked`, as JSON) asks for, write its report, and return the exit code."""
    early.be_ready()
    make_logs_printable()
    progress = Progress()
    try:
        asked = Asked.read(name, arguments[0])
        with claimed(asked.values["reports"]):
            ending = run(asked, progress)
            written = _write(ending)
    except KeyboardInterrupt:
        return early.exit_code()
    except HarnessError as error:
        complain(f"harness: {error}")
        if isinstance(error, UsageError):
            return USAGE
        return UNREACHABLE if isinstance(error, TargetUnreachableError) else INCONCLUSIVE
    except Exception as error:  # ours, in one line
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
        complain(f"harness: the harness broke in {place}: {type(error).__name__}: {error}")
        return INCONCLUSIVE
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
