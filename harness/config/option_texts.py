"""What a front door was given, as texts: read, handed on to another process, or said again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.config.option import Door, Option
from harness.config.options import options_of

# What a door was given: texts, or for a flag whether it was said.
Texts = Mapping[str, str | bool | Sequence[str] | None]


def read_options(door: Door, texts: Texts) -> dict[str, Any]:
    """Every option's value by its field: None for one that is not given and has no default.

    One that may be repeated gives a tuple, a flag a bool. Raises UsageError: one line, with the option, what
    was given, and what would be right.
    """
    return {option.field: _value(option, door, texts.get(option.field)) for option in options_of(door)}


def given(door: Door, texts: Texts) -> dict[str, str | bool | Sequence[str]]:
    """What was said, without what was not: to hand on to another process."""
    return {
        option.field: said
        for option in options_of(door)
        if (said := texts.get(option.field)) is not None and said is not False and said not in ((), [])
    }


def in_words(door: Door, texts: Texts) -> list[str]:
    """The options that make the same run again, as they were said: no secret of a URL is among them."""
    words: list[str] = []
    for option in options_of(door):
        said = given(door, texts).get(option.field)
        if said is None or not option.repeats:
            continue
        if isinstance(said, bool):
            words.append(f"--{option.name}")
            continue
        for each in [said] if isinstance(said, str) else said:
            if each != option.default_at(door):
                words += [f"--{option.name}", _without_secrets(each)]
    return words


def _value(option: Option, door: Door, said: str | bool | Sequence[str] | None) -> Any:
    if option.is_flag:
        return bool(said)
    if option.many:
        return tuple(option.value(each) for each in _listed(said))
    if said is None or isinstance(said, bool):
        said = option.default_at(door) or None
    return None if said is None else option.value(str(said))


def _listed(said: str | bool | Sequence[str] | None) -> Sequence[str]:
    if said is None or isinstance(said, bool):
        return ()
    return (said,) if isinstance(said, str) else said


def _without_secrets(said: str) -> str:
    if said.lstrip().startswith(("{", "[")):  # JSON of ICE servers, with their credentials
        return "[redacted]"
    if not said.startswith(("http://", "https://")):
        return said
    from harness.config.target import Target  # only who writes a report has it

    return Target(said).shown_url
