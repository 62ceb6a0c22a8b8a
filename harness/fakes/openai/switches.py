"""A setting that is an option of `harness fake-openai`, too: it says itself what it is for."""

from __future__ import annotations

from dataclasses import Field, field, fields
from typing import Any, TypeVar

T = TypeVar("T")


def switch(default: T, meaning: str) -> T:
    """A field of a dataclass of settings, with the sentence that help texts and documents show."""
    made: T = field(default=default, metadata={"meaning": meaning})
    return made


def switches_of(settings: type[Any]) -> list[tuple[Field[Any], str]]:
    """Each such field of a dataclass, with its sentence."""
    return [(each, each.metadata["meaning"]) for each in fields(settings) if "meaning" in each.metadata]
