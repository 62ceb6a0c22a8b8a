"""One call for each caller: a new one takes the place of the older, whoever asks twice at once."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Literal
from weakref import WeakValueDictionary

from starlette.requests import Request

from harness.fakes.relay.refusal import Refusal
from harness.fakes.relay.upstream import UpstreamReply

# Rightly; looking before the request and writing after it; in the memory of one of two processes.
Guarding = Literal["kept", "raced", "apart"]
MOST_CALLERS = 10_000
PROCESSES = 2

Keep = Callable[[UpstreamReply], Awaitable[None]]


class CallerGuard:
    """Who has which call. `hang_up` ends one at the upstream."""

    def __init__(self, hang_up: Keep) -> None:
        self._hang_up = hang_up
        self._kept: OrderedDict[str, UpstreamReply] = OrderedDict()
        self._busy: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._asked: Counter[str] = Counter()

    @asynccontextmanager
    async def one_call(self, request: Request, how: Guarding) -> AsyncIterator[Keep]:
        """Make the call inside, and give its reply to what is yielded. Raises Refusal."""
        caller = _caller(request)
        if how == "raced":
            older = self._kept.get(caller)
            yield lambda reply: self._replace(caller, older, reply)
        elif how == "apart":
            process = self._asked[caller] // PROCESSES % PROCESSES
            self._asked[caller] += 1
            own = f"{caller} in process {process}"
            if own in self._kept:
                raise Refusal(429, "one_call_at_a_time", "you have a call already")
            yield lambda reply: self._replace(own, None, reply)
        else:
            lock = self._busy.setdefault(caller, asyncio.Lock())
            async with lock:
                yield lambda reply: self._replace(caller, self._kept.get(caller), reply)

    async def _replace(self, caller: str, older: UpstreamReply | None, reply: UpstreamReply) -> None:
        self._kept[caller] = reply
        self._kept.move_to_end(caller)
        if len(self._kept) > MOST_CALLERS:
            self._kept.popitem(last=False)
        if older is not None:
            await self._hang_up(older)


def _caller(request: Request) -> str:
    """By what a caller is let in with; where anyone is, by its address."""
    return request.headers.get("authorization") or (request.client.host if request.client else "")
