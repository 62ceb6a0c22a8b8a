"""The options of a command: from the table that all front doors share, and read as those are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from harness.config.option import Door, Option, blaming
from harness.config.option_values import Reader
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


class Read(click.ParamType[Any]):
    """The type of an option that one command alone has; its errors are those of the table's options."""

    def __init__(self, reader: Reader, name: str = "number") -> None:
        self._reader = reader
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002  (click's own)
        """Raises UsageError that names the option, what was given, and what would be right."""
        if not isinstance(value, str):
            return value  # a default
        with blaming(param.opts[0].removeprefix("--") if param else self.name):
            return self._reader(value)
