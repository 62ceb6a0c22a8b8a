"""The options of `pytest scenarios/`: each as `--voice-NAME`, and as `--NAME` where nobody else has it.

Only the long names are registered. A short one is understood by writing the long one in its place before
pytest reads the command line, so another plugin or conftest may have a `--target` of its own, whether it
comes before us or after.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from harness.config.option_texts import Texts
from harness.config.options import options_of
from harness.core.extras import install_line
from harness.core.nearest import near

LONG = "--voice-"
SHORT = {f"--{option.name}": f"{LONG}{option.name}" for option in options_of("pytest")}


def add_options(parser: pytest.Parser) -> None:
    """Add ours to pytest's own."""
    group = parser.getgroup(
        "harness", "voice relay harness (--NAME for --voice-NAME, where nobody else has it)"
    )
    for option in options_of("pytest"):
        declared: dict[str, Any] = {
            "dest": _dest(option.field),
            "help": option.help_at("pytest").replace("%", "%%"),
        }
        if option.is_flag:
            declared["action"] = "store_true"
        else:
            declared["metavar"] = option.metavar
            declared |= {"action": "append"} if option.many else {}
        group.addoption(f"{LONG}{option.name}", **declared)
    if find_spec("allure_pytest") is None:
        _miss_allure(group)


def _miss_allure(group: pytest.OptionGroup) -> None:
    """Say how to install what `--alluredir` needs, where it is not installed, and nobody else has one."""
    with suppress(ValueError):
        group.addoption("--alluredir", metavar="DIR", action=_Missing, help=argparse.SUPPRESS)


class _Missing(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        parser.error(f"--alluredir needs what is not installed here ({install_line('allure')})")


def texts_of(config: pytest.Config) -> Texts:
    """What was given, by each option's field.

    pytest 9 has a --strict of its own, which is then shared. It is asked for on the command line only, since
    pytest's ini option of the same name is about something else.
    """
    found = {
        option.field: getattr(config.option, _dest(option.field), None) for option in options_of("pytest")
    }
    return {**found, "strict": found["strict"] or "--strict" in config.invocation_params.args}


class _Spelled(str):
    """A long name in place of the short one that was said."""

    said: str


class ShortNames:
    """The command line of one pytest, in which our short names are replaced by the long ones."""

    def __init__(self, parser: pytest.Parser, arguments: list[str]) -> None:
        self._parser = parser
        self._arguments = arguments

    def replace(self) -> None:
        """Those that nobody has registered so far."""
        self._arguments[:] = [self._spelled(argument) for argument in _out_of_files(self._arguments)]

    def restore(self) -> None:
        """Those that a conftest has registered since."""
        for at, argument in enumerate(self._arguments):
            if isinstance(argument, _Spelled) and self._is_taken(_name(argument.said)):
                self._arguments[at] = argument.said

    def paths(self) -> list[str] | None:
        """What pytest takes for paths; None where the options cannot be read as they are."""
        try:
            found: list[str] = self._parser.parse_known_args(self._arguments).file_or_dir
        except pytest.UsageError:  # it is theirs, though not registered yet
            return None
        return found

    def check(self) -> None:
        """Raises pytest's UsageError for one that is none, but nearly one of ours."""
        _, unknown = self._parser.parse_known_and_unknown_args(self._arguments)
        for said in (_name(each) for each in unknown if each.startswith("--")):
            if meant := near(said, [*SHORT, *SHORT.values()]):
                raise pytest.UsageError(f"there is no option {said} (did you mean {' or '.join(meant)}?)")

    def _spelled(self, argument: str) -> str:
        name, equals, value = argument.partition("=")
        if name not in SHORT or self._is_taken(name):
            return argument
        spelled = _Spelled(f"{SHORT[name]}{equals}{value}")
        spelled.said = argument
        return spelled

    def _is_taken(self, name: str) -> bool:
        try:
            _, unknown = self._parser.parse_known_and_unknown_args([name])
        except pytest.UsageError:  # it wants a value
            return True
        return name not in unknown


def _name(argument: str) -> str:
    return argument.partition("=")[0]


def _dest(field: str) -> str:
    return f"voice_{field}"


def _out_of_files(arguments: Iterable[str]) -> list[str]:
    """`@FILE`, which pytest takes, replaced by the file's lines."""
    found: list[str] = []
    for argument in arguments:
        file = Path(argument[1:])
        if argument.startswith("@") and file.is_file():
            found += file.read_text(encoding="utf-8").splitlines()
        else:
            found.append(argument)
    return found
