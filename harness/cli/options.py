"""The options that say which relay is meant, and how it is spoken to: as `pytest scenarios/` has them."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from harness.config.run import RunSettings, run_settings
from harness.core.limits import parse_limits

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--config",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="the file that names targets (default: harness.toml here or in a folder above)",
    ),
    click.option("--dialect", metavar="NAME", help="how the target wraps offer and answer (default: found)"),
    click.option("--origin", metavar="ORIGIN", help="the web page's origin: sent as a browser would"),
    click.option(
        "--fake-openai",
        metavar="HOST:PORT",
        help="the harness's fake that the target's OpenAI base URL points at: both ends are seen",
    ),
    click.option(
        "--limit",
        "limits",
        metavar="NAME=VALUE",
        multiple=True,
        help="what the call is judged by, such as latency_ms=1500; may be repeated",
    ),
    click.option("--seed", type=int, help="repeats a run's choices (default: a new one)"),
)


def target_options(command: F) -> F:
    """Add them to a command; what they were given goes to `settings_of`."""
    return reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), command)


def settings_of(target: str | None, *, limits: tuple[str, ...], **options: Any) -> RunSettings:
    """The run that a command's options ask for. Raises UsageError."""
    return run_settings(target=target, limits=parse_limits(limits), **options)
