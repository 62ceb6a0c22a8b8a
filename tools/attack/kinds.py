"""What a kind of attack is, and the list of them."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Try = Callable[[random.Random], Awaitable[int] | int]


class FoundError(AssertionError):
    """An input got through."""


@dataclass(frozen=True)
class Kind:
    """`attempt` tries some inputs, and returns how many; `within` seconds, or it hangs."""

    name: str
    says: str
    attempt: Try
    within: float


KINDS: dict[str, Kind] = {}


def kind(name: str, *, within: float = 10.0) -> Callable[[Try], Try]:
    """Register an attempt under a name; its docstring says what it tries."""

    def register(attempt: Try) -> Try:
        KINDS[name] = Kind(name, (attempt.__doc__ or "").strip().partition("\n")[0], attempt, within)
        return attempt

    return register


def expect(holds: bool, what: str) -> None:
    """Raise FoundError unless it holds."""
    if not holds:
        raise FoundError(what)
