"""The contract of faults that refuse a request, or keep silent, before its offer is looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from harness.fakes.faults.plan import CallFaults
from harness.fakes.faults.registry import OPENAI_FAULTS, Contract, FaultValue

Connection = Request | WebSocket
SignalingFault = Callable[[Connection, FaultValue], Awaitable[Response | None]]
"""Returns a response, raises ApiError, or returns None to let the call go on."""

SIGNALING: Contract[SignalingFault] = Contract(OPENAI_FAULTS)


async def refused_on_purpose(connection: Connection, faults: CallFaults) -> Response | None:
    """The first response of a call's signaling faults; raises ApiError as they do."""
    for unit, value, _ in SIGNALING.met(faults):
        response = await unit(connection, value)
        if response is not None:
            return response
    return None
