"""`/_fake/`: what the fake saw, and a clean slate."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
import psutil
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import harness
from harness.core.clock import Clock
from harness.core.errors import HarnessError
from harness.fakes.access import Access, problem
from harness.fakes.faults.plan import FaultPlan
from harness.fakes.openai.calls import Calls
from harness.fakes.openai.http.arrivals import ARRIVALS_PATH, Arrivals
from harness.fakes.openai.keys import Keys
from harness.peer.stalls import StallWatch

STALLS_SECONDS = 60.0
CHOSEN_BY = ("ufrag", "mark", "id", "state")


class Inspected(Protocol):
    """The calls of a fake, in this process or in several."""

    async def show(self, chosen: Mapping[str, str], *, events: bool) -> list[dict[str, Any]]:
        """Calls as `CallRecord.as_json`, oldest first, whose fields are as `chosen`. Raises HarnessError."""

    async def arrived(self, since: float, answer: str) -> list[dict[str, Any]]:
        """Requests as `Arrivals.show` tells them, oldest first. Raises HarnessError."""

    async def reset(self) -> None:
        """End all calls, forget them and the ephemeral keys. Raises HarnessError."""

    async def end(self, ufrags: Sequence[str]) -> int:
        """End the live calls of these names; how many there were. Raises HarnessError."""

    def health(self) -> dict[str, Any]:
        """`status`, `live`, and whatever else there is to say."""


class InspectedProcess:
    """The calls of this process."""

    def __init__(self, calls: Calls, keys: Keys, arrivals: Arrivals) -> None:
        self._calls = calls
        self._keys = keys
        self._arrivals = arrivals

    async def show(self, chosen: Mapping[str, str], *, events: bool) -> list[dict[str, Any]]:
        """See Inspected."""
        found = [r for r in self._calls.records if all(getattr(r, name) == chosen[name] for name in chosen)]
        return [record.as_json(events=events) for record in found]

    async def arrived(self, since: float, answer: str) -> list[dict[str, Any]]:
        """See Inspected."""
        return self._arrivals.show(since=since, answer=answer)

    async def reset(self) -> None:
        """See Inspected."""
        self._arrivals.clear()
        self._keys.clear()
        self._calls.distinct.clear()
        await self._calls.end_all("reset")
        self._calls.records.forget_ended()

    async def end(self, ufrags: Sequence[str]) -> int:
        """See Inspected."""
        return self._calls.end_named(ufrags)

    def health(self) -> dict[str, Any]:
        """See Inspected."""
        live = len(self._calls.records.live)
        return {"status": "ok", "live": live, **self._calls.distinct.as_json()}


def inspection_routes(inspected: Inspected, plan: FaultPlan, clock: Clock, access: Access) -> list[Route]:
    """GET `/calls`, `/requests` and `/health`, POST `/reset` and `/end`.

    `/calls` takes `?ufrag=&mark=&id=&state=` to choose, and `events=0` to leave the events out. `/requests`
    is all that arrived, `?since=` a moment on the fake's clock, or with the `?answer=` of this ufrag. `/end`
    takes a JSON list of ufrags, whose calls are released. `/health` says, too, how long the process that
    takes connections stood still lately, and how many seconds ago.
    """

    async def show(request: Request) -> Response:
        query = request.query_params
        chosen = {name: query[name] for name in CHOSEN_BY if name in query}
        try:
            calls = await inspected.show(chosen, events=query.get("events") != "0")
        except HarnessError as error:
            return problem(503, str(error))
        return JSONResponse({"now": clock.now(), "calls": calls})

    async def requests(request: Request) -> Response:
        query = request.query_params
        try:
            found = await inspected.arrived(float(query.get("since", 0.0)), query.get("answer", ""))
        except ValueError:
            return problem(400, "since is a time in seconds, as `now` is")
        except HarnessError as error:
            return problem(503, str(error))
        return JSONResponse({"now": clock.now(), "requests": found})

    async def reset(_request: Request) -> Response:
        plan.clear()
        try:
            await inspected.reset()
        except HarnessError as error:
            return problem(503, str(error))
        return JSONResponse({"now": clock.now(), "calls": []})

    async def end(request: Request) -> Response:
        try:
            named = msgspec.json.decode(await request.body(), type=list[str])
            return JSONResponse({"ended": await inspected.end(named)})
        except msgspec.DecodeError:
            return problem(400, "give a JSON list of ufrags")
        except HarnessError as error:
            return problem(503, str(error))

    async def health(_request: Request) -> Response:
        who = {"version": harness.__version__, "seed": plan.seed, "process": os.getpid()}
        stalls = msgspec.to_builtins(StallWatch.shared().ended_within(STALLS_SECONDS))
        found = inspected.health()
        processes = [os.getpid(), *(worker["process"] for worker in found.get("workers", ()))]
        memory = sum(map(_memory, processes))
        return JSONResponse({"now": clock.now(), **who, "stalls": stalls, "memory": memory, **found})

    return [
        Route("/calls", access.guarded(show), methods=["GET"]),
        Route(ARRIVALS_PATH, access.guarded(requests), methods=["GET"]),
        Route("/reset", access.guarded(reset), methods=["POST"]),
        Route("/end", access.guarded(end), methods=["POST"]),
        Route("/health", access.guarded(health), methods=["GET"]),
    ]


def _memory(process: int) -> int:
    """Bytes; 0 for one that is gone."""
    try:
        return int(psutil.Process(process).memory_info().rss)
    except psutil.Error:
        return 0
