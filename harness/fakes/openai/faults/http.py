"""The fake refuses or keeps silent over HTTP."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.responses import HTMLResponse, Response

from harness.fakes.faults.registry import FaultValue
from harness.fakes.openai.errors import ApiError, invalid_key, model_not_found, unparsable_offer
from harness.fakes.openai.signaling_fault import SIGNALING, Connection
from harness.fakes.serving import drop_connection

fault = SIGNALING.fault

GATEWAY_PAGE = """<html>
<head><title>504 Gateway Time-out</title></head>
<body><center><h1>504 Gateway Time-out</h1></center></body>
</html>
"""
SERVER_ERROR = "The server had an error while processing your request. Sorry about that!"
QUOTA = "You exceeded your current quota, please check your plan and billing details."


@fault("http-401", "refuses the key", stage="http")
async def http_401(request: Connection, value: FaultValue) -> Response | None:
    raise invalid_key("sk-refused-on-purpose")


@fault("http-400", "says that the offer cannot be parsed", stage="http")
async def http_400(request: Connection, value: FaultValue) -> Response | None:
    raise unparsable_offer("EOF")


REFUSED_HERE = {
    "unsupported_country_region_territory": "Country, region, or territory not supported",
    "ip_not_authorized": "Your IP address is not authorized to use this API key.",
    "model_not_found": "Project `proj_1` does not have access to model `gpt-realtime-2.1`",
    "missing_scope": "You have insufficient permissions for this operation.",
}


@fault(
    "http-403",
    "refuses where the relay is, or what its key may do, but not the key",
    stage="http",
    default="unsupported_country_region_territory",
    value_help=f"a code: {', '.join(REFUSED_HERE)}",
)
async def http_403(request: Connection, value: FaultValue) -> Response | None:
    code = str(value)
    raise ApiError(403, REFUSED_HERE.get(code, "Forbidden"), code=code, kind="request_forbidden")


@fault(
    "http-404", "does not know the model", stage="http", default="gpt-realtime-2.1", value_help="a model name"
)
async def http_404(request: Connection, value: FaultValue) -> Response | None:
    raise model_not_found(str(value))


@fault(
    "model-not-allowed",
    "does not let the relay's project use the model",
    stage="http",
    default="gpt-realtime-2.1",
    value_help="a model name",
)
async def model_not_allowed(request: Connection, value: FaultValue) -> Response | None:
    message = f"Project `proj_relay` does not have access to model `{value}`"
    raise ApiError(403, message, code="model_not_found")


@fault("session-too-long", "finds a text of the session too long", stage="http")
async def session_too_long(request: Connection, value: FaultValue) -> Response | None:
    message = (
        "Invalid 'session.tools[0].description': string too long. Expected a string with maximum length "
        "1024, but got a string with length 1200 instead."
    )
    param = "session.tools[0].description"
    raise ApiError(400, message, code="string_above_max_length", param=param)


@fault("http-400-empty", "refuses the request without a word why", stage="http")
async def http_400_empty(request: Connection, value: FaultValue) -> Response | None:
    raise ApiError(400, "", kind="")


@fault(
    "http-429", "is out of quota", stage="http", default=20, value_help="seconds for the Retry-After header"
)
async def http_429(request: Connection, value: FaultValue) -> Response | None:
    headers = {"Retry-After": str(value)}
    raise ApiError(429, QUOTA, code="insufficient_quota", kind="insufficient_quota", headers=headers)


@fault("http-500", "has an error of its own", stage="http")
async def http_500(request: Connection, value: FaultValue) -> Response | None:
    raise ApiError(500, SERVER_ERROR, code="server_error", kind="server_error")


@fault("http-503", "is overloaded", stage="http")
async def http_503(request: Connection, value: FaultValue) -> Response | None:
    raise ApiError(503, "The server is overloaded or not ready yet.", kind="service_unavailable_error")


@fault("http-504", "a gateway in front of it times out, with a page and not JSON", stage="http")
async def http_504(request: Connection, value: FaultValue) -> Response | None:
    return HTMLResponse(GATEWAY_PAGE, 504)


@fault("slow-answer", "answers late", stage="http", default=4.0, value_help="seconds before the answer")
async def slow_answer(request: Connection, value: FaultValue) -> Response | None:
    await asyncio.sleep(float(value))
    return None


@fault("no-answer", "never answers", stage="http", default=300.0, value_help="seconds of silence")
async def no_answer(request: Connection, value: FaultValue) -> Response | None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(float(value)):
            while (await request.receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
                pass
    drop_connection(request.scope)
    return Response(status_code=504)


@fault("connection-dropped", "cuts the connection instead of answering", stage="http")
async def connection_dropped(request: Connection, value: FaultValue) -> Response | None:
    drop_connection(request.scope)
    return Response(status_code=500)  # nobody gets it
