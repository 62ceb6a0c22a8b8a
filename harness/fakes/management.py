"""Steering a fake while it runs: its faults over HTTP."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness.core.errors import UsageError
from harness.fakes.access import Access, problem
from harness.fakes.bodies import BodyIncompleteError, BodyTooLargeError, read_body
from harness.fakes.faults.plan import FaultPlan, PlannedFault


def fault_routes(plan: FaultPlan, access: Access) -> list[Route]:
    """GET, PUT, POST and DELETE on `/faults`.

    PUT replaces all planned faults, POST adds to them. Both take `{NAME: VALUE, …}`, or a list of
    `{"name", "value"?, "calls"?, "ufrag"?}`; a ufrag that ends in * is of all calls that begin so. DELETE
    takes `?name=&ufrag=`, or nothing for all.
    """

    async def show(_request: Request) -> Response:
        return JSONResponse(_as_json(plan))

    async def change(request: Request) -> Response:
        try:
            asked = json.loads(await read_body(request, limit=65536, within=5.0))
            wanted = FaultPlan(plan.registry)
            for item in _items(asked):
                wanted.add(**item)
        except UsageError as error:
            return problem(400, str(error))
        except (ValueError, TypeError, KeyError, RecursionError, BodyTooLargeError, BodyIncompleteError):
            return problem(400, 'send {NAME: VALUE, …}, or a list of {"name", "value"?, "calls"?, "ufrag"?}')
        if request.method == "PUT":
            plan.clear()
        for planned in wanted:
            plan.add(planned.fault.name, planned.value, calls=planned.calls, ufrag=planned.ufrag)
        return JSONResponse(_as_json(plan))

    async def delete(request: Request) -> Response:
        name = request.query_params.get("name")
        if name is None:
            plan.clear()
        elif not plan.remove(name, ufrag=request.query_params.get("ufrag")):
            return problem(404, f"no fault named {name!r} is planned")
        return JSONResponse(_as_json(plan))

    return [
        Route("/faults", access.guarded(show), methods=["GET"]),
        Route("/faults", access.guarded(change), methods=["PUT", "POST"]),
        Route("/faults", access.guarded(delete), methods=["DELETE"]),
    ]


def _items(asked: Any) -> list[dict[str, Any]]:
    if isinstance(asked, dict):
        return [{"name": name, "value": value} for name, value in asked.items()]
    for item in asked:
        if not isinstance(item["name"], str):
            raise UsageError(f"a fault cannot be named {item['name']!r}", "give its name as text")
        if not isinstance(item.get("calls"), int | None):
            raise UsageError(f"calls cannot be {item['calls']!r}", "give a number of calls")
        if not isinstance(item.get("ufrag"), str | None):
            raise UsageError(f"ufrag cannot be {item['ufrag']!r}", "give the offer's ice-ufrag")
    return list(asked)


def _as_json(plan: FaultPlan) -> dict[str, Any]:
    return {"seed": plan.seed, "faults": [_planned(planned) for planned in plan]}


def _planned(planned: PlannedFault) -> dict[str, Any]:
    return {
        "name": planned.fault.name,
        "stage": planned.fault.stage,
        "value": planned.value,
        "calls": planned.calls,
        "ufrag": planned.ufrag,
    }
