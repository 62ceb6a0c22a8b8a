"""`harness capacity` and `harness soak`: how many calls a target holds, and what many hours do to it.

Locust patches the whole process it is imported into, and `load` is a sibling of this floor: so each command
becomes that program (`exec`), which then has the terminal, Ctrl-C and the exit code to itself.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from harness.config.offers import OFFER_HELP
from harness.core.errors import UsageError
from harness.core.extras import require_extra

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that both have."""
    for option in reversed(
        (
            click.argument("url", required=False, default=""),
            click.option("--dialect", metavar="NAME", help="how the target wraps offer and answer"),
            click.option("--offer", metavar="SHAPE", help=f"{OFFER_HELP} (default: minimal)"),
            click.option(
                "--fake-openai",
                metavar="HOST:PORT",
                help="the harness's fake that the target's OpenAI base URL points at",
            ),
            click.option(
                "--caller",
                type=click.Choice(["steady", "reconnecting", "interrupting"]),
                default="steady",
                show_default=True,
                help="who calls",
            ),
            click.option(
                "--turns",
                type=int,
                default=2,
                show_default=True,
                help="turns in each call of a steady caller",
            ),
            click.option("--seed", type=int, help="repeats the callers (default: a new one, printed)"),
            click.option(
                "--decode-share",
                type=float,
                default=0.1,
                show_default=True,
                help="part of the calls examined in full, sound included (0 to 1)",
            ),
            click.option("--budget", type=float, metavar="USD", help="what all calls together may cost"),
            click.option(
                "--limit",
                "limits",
                multiple=True,
                metavar="NAME=VALUE",
                help="a number that calls are judged by",
            ),
        )
    ):
        command = option(command)
    return command


@click.command()
@_common
@click.option(
    "--slo",
    "slos",
    multiple=True,
    metavar="TEXT",
    help='what must hold: "DC open p95 < 5s", "first audio p95 < 1500ms", "failures < 1%"; may be repeated '
    "(default: DC open p95 < 5s, first audio p95 < 3s, failures < 1%)",
)
@click.option("--start", type=int, default=5, show_default=True, help="calls of the first step")
@click.option("--step", type=int, default=10, show_default=True, help="calls that each step adds")
@click.option("--most", type=int, default=200, show_default=True, help="never more calls than this")
@click.option("--at-least", type=int, default=1, show_default=True, help="holding fewer calls is a violation")
@click.option(
    "--step-seconds", type=float, default=30.0, show_default=True, help="how long a step is measured"
)
@click.option(
    "--settle-seconds", type=float, default=5.0, show_default=True, help="wait before each measurement"
)
@click.option(
    "--reports", default="reports/capacity", show_default=True, metavar="DIR", help="where the report goes"
)
def capacity(**options: Any) -> None:
    """Find how many calls URL holds: climb until an objective breaks, then halve the distance.

    Without URL the embedded relay and fake are called, which shows what this machine can do.
    """
    _become("harness.load.locust_side.capacity", options)


@click.command()
@_common
@click.option("--calls", type=int, default=10, show_default=True, help="calls at a time")
@click.option("--for", "duration", default="30m", show_default=True, metavar="1h30m", help="how long")
@click.option(
    "--reports", default="reports/soak", show_default=True, metavar="DIR", help="where the report goes"
)
def soak(duration: str, **options: Any) -> None:
    """Hold a number of calls at URL for long, and look for drift and leaks."""
    _become("harness.load.locust_side.soak", {**options, "seconds": seconds_of(duration)})


def seconds_of(duration: str) -> int:
    """`1h30m`, `90s`. Raises UsageError."""
    found = _DURATION.fullmatch(duration.strip())
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if total == 0:
        raise UsageError(f"{duration!r} is not a duration", "write 30m, 90s or 1h30m")
    return total


def _become(module: str, options: dict[str, Any]) -> NoReturn:
    require_extra("load", "calling under load")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, json.dumps(options)])  # noqa: S606  (our own module)
