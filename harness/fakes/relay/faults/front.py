"""Faults at the front door: the offer never gets further."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from harness.fakes.relay.hooks import RelayFault, relay_fault

LOGIN_PAGE = """<!doctype html>
<html><head><title>Sign in</title></head>
<body><form action="/login" method="post"><input name="user"><input name="password" type="password">
<button>Sign in</button></form></body></html>
"""


@relay_fault(
    "hangs",
    "takes the offer and does not answer",
    stage="request",
    default=300.0,
    value_help="seconds of silence",
)
class Hangs(RelayFault):
    async def receive(self, request: Request) -> Response | None:
        """Wait, or until the caller gives up."""
        await until_gone(request, float(self.value))
        return Response(status_code=504)


@relay_fault("not-found", "the endpoint is not there", stage="request")
class NotFound(RelayFault):
    async def receive(self, request: Request) -> Response | None:
        return JSONResponse({"error": {"code": "not_found", "message": f"no {request.url.path}"}}, 404)


@relay_fault("method-not-allowed", "the endpoint does not take POST", stage="request")
class MethodNotAllowed(RelayFault):
    async def receive(self, request: Request) -> Response | None:
        return Response(status_code=405, headers={"Allow": "GET"})


@relay_fault("unauthorized", "refuses every caller, also those with the right token", stage="request")
class Unauthorized(RelayFault):
    async def receive(self, request: Request) -> Response | None:
        body = {"error": {"code": "unauthorized", "message": "sign in first"}}
        return JSONResponse(body, 401, headers={"WWW-Authenticate": "Bearer"})


@relay_fault("offer-refused", "refuses every offer as one that it cannot read", stage="request")
class OfferRefused(RelayFault):
    async def receive(self, request: Request) -> Response | None:
        body = {"error": {"code": "invalid_offer", "message": "the field `offer` is missing"}}
        return JSONResponse(body, 422)


@relay_fault(
    "login-page",
    "answers with a login page, as a session middleware in front of an API does",
    stage="request",
    default="page",
    value_help="`page` (200 with HTML) or `redirect` (302 to one)",
)
class LoginPage(RelayFault):
    async def receive(self, request: Request) -> Response | None:
        return RedirectResponse("/login", 302) if self.value == "redirect" else HTMLResponse(LOGIN_PAGE)


@relay_fault(
    "relay-error", "fails by itself", stage="request", default=500, value_help="a status from 500 to 599"
)
class RelayError(RelayFault):
    async def receive(self, request: Request) -> Response | None:
        status = int(self.value) if 500 <= int(self.value) <= 599 else 500
        return JSONResponse({"error": {"code": "internal_error", "message": "something went wrong"}}, status)


PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>edge</body></html>"
IN_FRONT: dict[str, tuple[int, dict[str, str], str]] = {
    "redirect": (301, {"Location": "/moved/to/another/prefix"}, ""),
    "challenge": (403, {"cf-mitigated": "challenge"}, PAGE.format("Just a moment...")),
    "csrf": (403, {}, "CSRF token missing"),
    "origin": (403, {}, "Invalid CORS request"),
    "host": (400, {}, "Invalid host header"),
    "too-large": (413, {}, PAGE.format("413 Request Entity Too Large")),
    "limiter": (429, {"Retry-After": "30"}, "Too many requests"),
    "busy": (409, {}, "a call is already in progress"),
    "gave-up": (504, {}, PAGE.format("504 Gateway Time-out")),
    "nobody": (502, {}, PAGE.format("502 Bad Gateway")),
    "tunnel": (404, {}, "The tunnel is offline. ERR_NGROK_3200"),
}


@relay_fault(
    "answered-in-front",
    "is not reached: what stands before it answers",
    stage="request",
    default="nobody",
    value_help=", ".join(IN_FRONT),
    choices=IN_FRONT,
)
class AnsweredInFront(RelayFault):
    async def receive(self, request: Request) -> Response | None:
        status, headers, body = IN_FRONT[str(self.value)]
        kind = "text/html" if body.startswith("<") else "text/plain"
        return Response(body, status, headers, media_type=kind)


@relay_fault("cors-preflight-missing", "does not answer the preflight of a page's request", stage="request")
class CorsPreflightMissing(RelayFault):
    """Acts where preflights are answered: they carry no offer, so there is no exchange to hook into."""


@relay_fault("any-origin", "lets a page of any origin send offers", stage="security")
class AnyOrigin(RelayFault):
    """Acts where preflights are answered, as above."""


async def until_gone(request: Request, seconds: float) -> None:
    """Return when the client has hung up, or after `seconds`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                pass
