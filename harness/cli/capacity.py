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
from harness.config.arrival_rows import check_arrivals
from harness.config.option_texts import given, read_options
from harness.config.options import options_of
from harness.core.extras import require_extra

CALLS, OFFERS = "harness.load.locust_side", "harness.load.arrivals"


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
    """Hold a number of calls at URL for long, and look for drift and leaks.

    With --arrivals a rate of offers: nobody talks, and each call is released at once.
    """
    _become("soak", url, texts)


def _become(door: Literal["capacity", "soak"], url: str, texts: dict[str, Any]) -> NoReturn:
    values, said = read_options(door, texts), given(door, texts)  # so that what is wrong is said at once
    check_arrivals({option.name: said for option in options_of(door) if option.field in said}, values)
    require_extra("load", f"harness {door}")
    module = f"{OFFERS if values['arrivals'] else CALLS}.{door}"
    asked = json.dumps({"url": url, "texts": said, "reports": str(values["reports"])})
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, asked])  # noqa: S606  (our own module)
