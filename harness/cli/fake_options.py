"""The switches of the fake as options: made from the fields of its settings, so that none is forgotten."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import click

from harness.cli.options import Read
from harness.config.option_values import number, whole
from harness.fakes.openai.conversation.settings import ConversationSettings
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.switches import switches_of

F = TypeVar("F", bound=Callable[..., Any])

OFF = "off"


class Patience(click.ParamType[float | None]):
    """Seconds, or `off` for None."""

    name = "seconds|off"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """Raises click's BadParameter."""
        if value in (OFF, None):
            return None
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds < math.inf:
            self.fail(f"{value!r} is neither seconds (0 or more) nor off", param, ctx)
        return seconds


class OneOf(click.ParamType[Any]):
    """One of a field's literal values, or `off` where it may be None."""

    def __init__(self, values: tuple[Any, ...], *, optional: bool) -> None:
        self._values = {str(value): value for value in values} | ({OFF: None} if optional else {})
        self.name = "|".join(self._values)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Raises click's BadParameter."""
        if str(value) not in self._values and value not in self._values.values():
            self.fail(f"{value!r} is none of {', '.join(self._values)}", param, ctx)
        return self._values.get(str(value), value)


def fake_options(command: F) -> F:
    """Add an option for each switch; what they were given goes to `switched`."""
    for option in reversed(list(_options())):
        command = option(command)
    return command


def switched(given: dict[str, Any]) -> tuple[dict[str, Any], ConversationSettings]:
    """What a command was given, by names of `FakeSettings`, and its conversation. Raises UsageError."""
    of_conversation = {field.name for field, _ in switches_of(ConversationSettings)}
    conversation = ConversationSettings(**{n: v for n, v in given.items() if n in of_conversation})
    own = {n: frozenset(v) if isinstance(v, tuple) else v for n, v in given.items()}
    return {n: v for n, v in own.items() if n not in of_conversation}, conversation


def flag_of(name: str, hint: Any) -> str:
    """The option of a field; one that may be repeated is named by one of what it holds."""
    return f"--{(name.removesuffix('s') if hint == frozenset[str] else name).replace('_', '-')}"


def _options() -> Iterator[Callable[[Any], Any]]:
    for settings in (FakeSettings, ConversationSettings):
        hints = get_type_hints(settings)
        for field, meaning in switches_of(settings):
            yield _option(field.name, hints[field.name], field.default, meaning)


def _option(name: str, hint: Any, default: Any, meaning: str) -> Callable[[Any], Any]:
    flag = flag_of(name, hint)
    if hint is bool:
        return click.option(f"{flag}/--no-{flag[2:]}", name, default=default, show_default=True, help=meaning)
    if hint == frozenset[str]:
        return click.option(flag, name, metavar="NAME", multiple=True, help=f"{meaning}; may be repeated")
    return click.option(
        flag,
        name,
        type=_kind(hint),
        default=OFF if default is None else default,
        show_default=True,
        help=meaning,
    )


def _kind(hint: Any) -> click.ParamType[Any]:
    alternatives = get_args(hint)
    literals = [each for each in (hint, *alternatives) if get_origin(each) is Literal]
    if literals:
        return OneOf(get_args(literals[0]), optional=NoneType in alternatives)
    if NoneType in alternatives:
        return Patience()
    if hint is int:
        return Read(whole(0))
    return Read(number()) if hint is float else click.STRING
