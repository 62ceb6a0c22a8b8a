"""What an option is: its name, its words, how its text is read, and which front doors show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from harness.config.option_values import Reader
from harness.core.errors import UsageError

Door = Literal["pytest", "doctor", "page", "demo", "judge", "watch", "capacity", "soak", "locust"]


@dataclass(frozen=True)
class Option:
    """`--NAME METAVAR`, or without `read` a flag.

    `default`: the text in force where none is given; `otherwise`: in words, what comes then. Either may
    differ by door. `many`: may be repeated. `web`: Locust's page shows it. `repeats`: whether a command that
    makes the same run again has it.
    """

    name: str
    help: str
    doors: tuple[Door, ...]
    metavar: str = ""
    read: Reader | None = None
    default: str | Mapping[Door, str] = ""
    otherwise: str | Mapping[Door, str] = ""
    many: bool = False
    of_run: bool = False
    repeats: bool = True
    web: bool = False
    called: str = ""  # the field, where it is not the name

    @property
    def field(self) -> str:
        """What its value is called in programs."""
        return self.called or self.name.replace("-", "_")

    @property
    def is_flag(self) -> bool:
        return self.read is None

    @property
    def variable(self) -> str:
        """The environment variable that stands in for it."""
        return f"HARNESS_{self.name.replace('-', '_').upper()}"

    def default_at(self, door: Door) -> str:
        """The text in force where none is given; empty for none."""
        return _at(door, self.default)

    def help_at(self, door: Door) -> str:
        """With what comes where it is not given."""
        usual = self.default_at(door) or _at(door, self.otherwise)
        many = "; may be repeated" if self.many else ""
        return f"{self.help}{many}" + (f" (default: {usual})" if usual else "")

    def value(self, text: str) -> Any:
        """Raises UsageError that names the option, what was given, and what would be right."""
        assert self.read is not None  # noqa: S101  (a flag has no text)
        with blaming(self.name):
            if not text.strip():
                raise UsageError("an empty text is no value", f"give {self.metavar}, or leave the option out")
            return self.read(text)


@contextmanager
def blaming(name: str) -> Iterator[None]:
    """Where a UsageError is raised in here, the option is named."""
    try:
        yield
    except UsageError as error:
        message = error.message.removeprefix(f"--{name} ")
        raise UsageError(f"--{name}: {message}", error.remedy) from error.__cause__


def _at(door: Door, said: str | Mapping[Door, str]) -> str:
    return said if isinstance(said, str) else said.get(door, "")
