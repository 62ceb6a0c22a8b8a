"""The options of a command, from the table that all front doors share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from harness.config.option import Door, Option
from harness.config.options import options_of

F = TypeVar("F", bound=Callable[..., Any])


def takes_options(door: Door) -> Callable[[F], F]:
    """Give a command the options of its door; it gets their texts, for `read_options`."""

    def decorate(command: F) -> F:
        for option in reversed(options_of(door)):
            command = _declared(option, door)(command)
        return command

    return decorate


def _declared(option: Option, door: Door) -> Callable[[F], F]:
    names, said = (f"--{option.name}", option.field), option.help_at(door)
    if option.is_flag:
        return click.option(*names, is_flag=True, help=said)
    return click.option(*names, metavar=option.metavar, multiple=option.many, help=said)
