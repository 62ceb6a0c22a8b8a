"""A scenario: a planned conversation, and the areas of the catalogue that it judges."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from harness.call.caller import Caller

Plan = Callable[[Caller], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """What `@scenario` makes of a coroutine function. `areas` are modules of the catalogue.

    `restarts_relay`: the call goes through a second embedded relay, which it may restart. `lasts`: seconds,
    roughly; long ones are begun first. `alone`: when no other call is under way. `bad_network`: the caller's
    network is made bad, so a browser's packets must go through us. `callers`: the kinds that it is for, where
    it means nothing to others.
    """

    name: str
    title: str
    plan: Plan
    areas: tuple[str, ...]
    requirements: tuple[str, ...] = ()
    restarts_relay: bool = False
    lasts: float = 10.0
    alone: bool = False
    bad_network: bool = False
    callers: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, int]:
        """The file and the line where it is written; an empty file for a plan that no file holds."""
        code = getattr(self.plan, "__code__", None)
        return (code.co_filename, code.co_firstlineno) if code else ("", 0)


def scenario(
    *,
    areas: Sequence[str] = (),
    requirements: Sequence[str] = (),
    restarts_relay: bool = False,
    lasts: float = 10.0,
    alone: bool = False,
    bad_network: bool = False,
    callers: Sequence[str] = (),
) -> Callable[[Plan], Scenario]:
    """Turn `async def plan(caller)` into a scenario; its docstring's first line is the title.

    Every requirement of `areas`, and each one named in `requirements`, becomes a test of its own.
    """

    def declare(plan: Plan) -> Scenario:
        title = (plan.__doc__ or "").strip().partition("\n")[0]
        name = getattr(plan, "__name__", "scenario")
        if not title:
            raise ValueError(f"scenario {name} needs a docstring: its first line is the title in reports")
        return Scenario(
            name,
            title,
            plan,
            tuple(areas),
            tuple(requirements),
            restarts_relay=restarts_relay,
            lasts=lasts,
            alone=alone,
            bad_network=bad_network,
            callers=tuple(callers),
        )

    return declare
