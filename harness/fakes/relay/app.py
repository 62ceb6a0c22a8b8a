"""The reference relay as an ASGI app: one endpoint, health, preflight, and the switches of its faults."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from harness.core.clock import MonotonicClock
from harness.core.dialects import DIALECTS
from harness.core.probes import CALL_HEADER
from harness.fakes.access import Access
from harness.fakes.bodies import BodyIncompleteError, BodyTooLargeError, peek_ufrag, read_body
from harness.fakes.faults.plan import FaultPlan
from harness.fakes.management import fault_routes
from harness.fakes.relay.exchange import RelayExchange, authorize
from harness.fakes.relay.faults import RELAY_FAULTS
from harness.fakes.relay.faults.security import SOMEBODYS_TURN
from harness.fakes.relay.gateway import GatewayCall
from harness.fakes.relay.gateway_hooks import GATEWAY, GatewayFault
from harness.fakes.relay.guard import CallerGuard
from harness.fakes.relay.hooks import RELAY
from harness.fakes.relay.limits import RelayLimits
from harness.fakes.relay.minting import KeyExchange
from harness.fakes.relay.refusal import Refusal
from harness.fakes.relay.settings import ICE_PATH, SESSION_PATH, TOKEN_PATH, WHIP_PATH, RelaySettings
from harness.fakes.relay.socket_hooks import RELAY_SOCKET
from harness.fakes.relay.sockets import SocketRelay
from harness.fakes.relay.upstream import UpstreamClient, UpstreamReply
from harness.fakes.relay.whip import METHODS, MadeCall, WhipServer


class ReferenceRelay:
    """The relay of one process; `app` serves it."""

    def __init__(self, settings: RelaySettings) -> None:
        self.settings = settings
        self.plan = FaultPlan(RELAY_FAULTS, seed=settings.seed, faults=settings.faults)
        self._upstream: UpstreamClient | None = None
        self._limits = RelayLimits(settings, MonotonicClock())
        self._located: dict[str, UpstreamReply] = {}
        self._bridged: list[GatewayCall] = []
        self._guard: CallerGuard | None = None
        self._whip = WhipServer(settings, self.plan, self._call_for_session, self._end_call)
        access = Access(settings.management_token, settings.management_hosts)
        self.app = Starlette(
            routes=[
                *self._whip_routes(),
                Route(SESSION_PATH, self._session, methods=[settings.dialect.method]),
                WebSocketRoute(SESSION_PATH, self._socket),
                Route(SESSION_PATH, self._preflight, methods=["OPTIONS"]),
                Route(f"{SESSION_PATH}/{{call_id}}/hangup", self._hang_up, methods=["POST"]),
                Route(TOKEN_PATH, self._token, methods=["POST"]),
                Route(TOKEN_PATH, self._preflight, methods=["OPTIONS"]),
                Route(ICE_PATH, self._ice_servers, methods=["GET"]),
                Route("/health", self._health, methods=["GET"]),
                Mount("/_relay", routes=fault_routes(self.plan, access)),
            ],
            exception_handlers={HTTPException: _http_error},
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._upstream = UpstreamClient(self.settings)
        self._guard = CallerGuard(self._upstream.hang_up)
        try:
            yield
        finally:
            for call in self._bridged:
                await call.close()
            await self._upstream.close()

    def _whip_routes(self) -> list[Route]:
        """At a path of its own, and where offers go if that is how they come."""
        paths = [WHIP_PATH, *([SESSION_PATH] if self.settings.dialect.sessions else [])]
        routes = []
        for path in paths:
            routes.append(Route(path, self._preflighted, methods=METHODS))
            routes.append(Route(f"{path}/{{session}}", self._whip_session, methods=METHODS))
        return routes

    async def _preflighted(self, request: Request) -> Response:
        if "access-control-request-method" in request.headers:
            return await self._preflight(request, ("PATCH", "DELETE"), ("if-match",))
        return self._shared_with_pages(request, await self._whip.endpoint(request))

    async def _whip_session(self, request: Request) -> Response:
        if "access-control-request-method" in request.headers:
            return await self._preflight(request, ("PATCH", "DELETE"), ("if-match",))
        return self._shared_with_pages(request, await self._whip.session(request))

    async def _call_for_session(self, request: Request) -> MadeCall:
        dialect = self.settings.dialect if self.settings.dialect.sessions else DIALECTS["whip"]
        return await self._made(request, RelayExchange, replace(self.settings, dialect=dialect))

    async def _end_call(self, made: UpstreamReply) -> None:
        assert self._upstream is not None  # noqa: S101  (the lifespan runs first)
        await self._upstream.hang_up(made)

    async def _session(self, request: Request) -> Response:
        return (await self._made(request, RelayExchange, self.settings)).response

    async def _token(self, request: Request) -> Response:
        return (await self._made(request, KeyExchange, self.settings)).response

    async def _made(
        self, request: Request, exchange: type[RelayExchange] | type[KeyExchange], settings: RelaySettings
    ) -> MadeCall:
        assert self._upstream is not None  # noqa: S101  (the lifespan runs first)
        assert self._guard is not None  # noqa: S101  (likewise)
        try:
            body = await read_body(
                request, limit=self.settings.longest_body, within=self.settings.read_seconds
            )
        except BodyTooLargeError:
            return MadeCall(Refusal(413, "offer_too_large", "an offer is never that long").response())
        except BodyIncompleteError:
            return MadeCall(Refusal(408, "request_timeout", "the request did not arrive in time").response())
        try:
            await self._limits.enter()
        except Refusal as refusal:
            return MadeCall(self._shared_with_pages(request, refusal.response()))
        met = self.plan.take(peek_ufrag(body))
        hooks = [unit(value, self.settings) for unit, value, _ in RELAY.met(met)]
        given = (request, body, settings, self._upstream, self._guard, hooks)
        if exchange is KeyExchange:
            return MadeCall(self._shared_with_pages(request, await KeyExchange(*given).run()))
        bridge = None
        if self.settings.gateway:
            faults = [unit(value, self.settings) for unit, value, _ in GATEWAY.met(met)]
            bridge = partial(self._bridge, faults)
        offered = RelayExchange(*given, bridge=bridge)
        async with self._limits.upstream():
            response = await offered.run()
        if self.settings.locations and offered.made is not None and response.status_code < 300:
            call_id = offered.made.headers.get("location", "").rpartition("/")[2]
            self._located[call_id] = offered.made
            response.headers["Location"] = f"{SESSION_PATH}/{call_id}"
        return MadeCall(self._shared_with_pages(request, response), offered.made, peek_ufrag(body) or "")

    async def _hang_up(self, request: Request) -> Response:
        """What a call's Location is for."""
        assert self._upstream is not None  # noqa: S101  (the lifespan runs first)
        try:
            authorize(request, self.settings.bearer_token)
        except Refusal as refusal:
            return refusal.response()
        made = self._located.pop(request.path_params["call_id"], None)
        if made is None:
            return Refusal(404, "call_not_found", "there is no such call").response()
        await self._upstream.hang_up(made)
        return Response(status_code=204)

    async def _bridge(self, faults: list[GatewayFault], offer: str) -> str:
        call = GatewayCall(self.settings, faults)
        self._bridged.append(call)
        return await call.answer(offer)

    async def _socket(self, websocket: WebSocket) -> None:
        met = self.plan.take(websocket.headers.get(CALL_HEADER))
        faults = [unit(value, self.settings) for unit, value, _ in RELAY_SOCKET.met(met)]
        await SocketRelay(websocket, self.settings, faults).run()

    async def _preflight(
        self, request: Request, methods: Sequence[str] = (), headers: Sequence[str] = ()
    ) -> Response:
        """CORS preflight (Fetch standard, section 4.8)."""
        if self._met_everywhere("any-origin"):
            origin = request.headers.get("origin", "*")
            return Response(
                status_code=204,
                headers={**self._leave(methods, headers), "Access-Control-Allow-Origin": origin},
            )
        if self._met_everywhere("cors-preflight-missing"):
            return Refusal(405, "method_not_allowed", f"use {self.settings.dialect.method}").response()
        response = self._shared_with_pages(request, Response(status_code=204))
        if "access-control-allow-origin" in response.headers:
            response.headers.update(self._leave(methods, headers))
        return response

    def _leave(self, methods: Sequence[str], headers: Sequence[str]) -> dict[str, str]:
        """What a page may do that is let in at all: as offers need it, and these."""
        dialect = self.settings.dialect
        return {
            "Access-Control-Allow-Methods": ", ".join(dict.fromkeys([dialect.method, "POST", *methods])),
            "Access-Control-Allow-Headers": ", ".join(
                ["authorization", "content-type", *dialect.headers, *headers]
            ),
            "Access-Control-Max-Age": "600",
        }

    def _met_everywhere(self, name: str) -> bool:
        """Whether a fault is planned at all: a preflight carries no offer that would tell whose it is."""
        return any(planned.fault.name == name for planned in self.plan)

    def _shared_with_pages(self, request: Request, response: Response) -> Response:
        origin = request.headers.get("origin", "")
        if origin and origin in self.settings.origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Vary"] = "Origin"
        return response

    async def _ice_servers(self, request: Request) -> Response:
        """What its page would be given: here nothing, since both ends are on this machine."""
        if self._met_everywhere("ice-servers-open"):
            return JSONResponse(SOMEBODYS_TURN)
        try:
            authorize(request, self.settings.bearer_token)
        except Refusal as refusal:
            return refusal.response()
        return JSONResponse({"iceServers": []})

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok", "dialect": self.settings.dialect.name})


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for this class)
    code = error.detail.lower().replace(" ", "_")
    return JSONResponse(
        {"error": {"code": code, "message": error.detail}}, error.status_code, headers=error.headers
    )
