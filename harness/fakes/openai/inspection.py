"""`/_fake/`: what the fake saw, and a clean slate."""

from __future__ import annotations

import os

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import harness
from harness.core.clock import Clock
from harness.fakes.faults.plan import FaultPlan
from harness.fakes.management import guarded
from harness.fakes.openai.calls import Calls
from harness.fakes.openai.keys import Keys


def inspection_routes(
    calls: Calls, keys: Keys, plan: FaultPlan, clock: Clock, token: str | None
) -> list[Route]:
    """GET `/calls` and `/health`, POST `/reset`.

    `/calls` takes `?ufrag=&id=&state=` to choose, and `events=0` to leave the events out.
    """

    async def show(request: Request) -> Response:
        query = request.query_params
        asked = {name: query[name] for name in ("ufrag", "id", "state") if name in query}
        chosen = [r for r in calls.records if all(getattr(r, name) == asked[name] for name in asked)]
        events = query.get("events") != "0"
        return JSONResponse({"now": clock.now(), "calls": [r.as_json(events=events) for r in chosen]})

    async def reset(_request: Request) -> Response:
        plan.clear()
        keys.clear()
        await calls.end_all("reset")
        calls.records.forget_ended()
        return JSONResponse({"now": clock.now(), "calls": []})

    async def health(_request: Request) -> Response:
        return JSONResponse(
            {
                "status": "ok",
                "version": harness.__version__,
                "seed": plan.seed,
                "process": os.getpid(),
                "live": len(calls.records.live),
            }
        )

    return [
        Route("/calls", guarded(token, show), methods=["GET"]),
        Route("/reset", guarded(token, reset), methods=["POST"]),
        Route("/health", guarded(token, health), methods=["GET"]),
    ]
