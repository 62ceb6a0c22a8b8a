"""What a caller's groups of verbs (network, probe, reconnect) need of the caller that has them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from harness.call.line import CallLine
from harness.core.callers import Verb
from harness.core.events import ServerEvent

CallAgain = Callable[[CallLine | None], CallLine]
"""A line for one more call of this run: of the same caller behind the same link, or of another's."""


class Host(Protocol):
    """A caller as its groups of verbs see it; `harness.call.caller.Caller` says what each does."""

    line: CallLine
    lines: list[CallLine]
    call_again: CallAgain | None

    async def connect(self) -> None: ...
    async def apply_answer(self, answer: str) -> None: ...
    async def hang_up(self) -> None: ...
    def require(self, verb: Verb) -> None: ...
    def send(self, event: dict[str, Any]) -> str: ...
    def take_up(self, line: CallLine) -> None: ...
    def another(self, line: CallLine) -> Host: ...
    def step(self, name: str) -> AbstractAsyncContextManager[None]: ...
    async def until(self, holds: Callable[[], bool], what: str, within: float) -> None: ...
    async def event(
        self, *types: str, within: float, where: Callable[[ServerEvent], bool] | None = None
    ) -> ServerEvent: ...
