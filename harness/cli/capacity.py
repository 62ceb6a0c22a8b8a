"""`harness capacity` and `harness soak`: how many calls a target holds, and what many hours do to it.

Locust patches the whole process it is imported into, and `load` is a sibling of this floor: so each command
becomes that program (`exec`), which then has the terminal, Ctrl-C and the exit code to itself.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Literal, NoReturn

import click

from harness.cli.options import takes_options
from harness.config.option_texts import given, read_options
from harness.core.extras import require_extra

MODULES = {
    "capacity": "harness.load.locust_side.capacity",
    "soak": "harness.load.locust_side.soak",
    "arrivals": "harness.load.arrivals",
}


@click.command()
@click.argument("url", required=False, default="")
@takes_options("capacity")
def capacity(url: str, **texts: Any) -> None:
    """Find how many calls URL holds: climb until an objective breaks, then halve the distance.

    With --arrivals, how many offers a second: nobody talks, and each call is released at once.

    Without URL the embedded relay and fake are called, which shows what this machine can do.
    """
    _become("capacity", url, texts)


@click.command()
@click.argument("url", required=False, default="")
@takes_options("soak")
def soak(url: str, **texts: Any) -> None:
    """Hold a number of calls at URL for long, and look for drift and leaks."""
    _become("soak", url, texts)


def _become(door: Literal["capacity", "soak"], url: str, texts: dict[str, Any]) -> NoReturn:
    values = read_options(door, texts)  # so that what is wrong is said at once
    require_extra("load", f"harness {door}")
    program = "arrivals" if values.get("arrivals") else door
    asked = json.dumps({"url": url, "texts": given(door, texts), "reports": str(values["reports"])})
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", MODULES[program], asked])  # noqa: S606  (our own module)
