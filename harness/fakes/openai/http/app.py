"""The fake OpenAI as an ASGI app."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from harness.core.clock import MonotonicClock
from harness.fakes.access import Access
from harness.fakes.faults.plan import FaultPlan
from harness.fakes.management import fault_routes
from harness.fakes.openai import errors
from harness.fakes.openai.calls import Calls
from harness.fakes.openai.faults import OPENAI_FAULTS
from harness.fakes.openai.http.arrivals import Arrivals, Recording
from harness.fakes.openai.http.control import Control
from harness.fakes.openai.http.inspection import Inspected, InspectedProcess, inspection_routes
from harness.fakes.openai.http.live import SESSIONS_PATH, LiveFrontDoor
from harness.fakes.openai.http.sharing import OneProcess, Sharing
from harness.fakes.openai.http.signaling import CALLS_PATH, EXPOSED_HEADERS, Signaling
from harness.fakes.openai.http.sockets import Sockets
from harness.fakes.openai.ids import Ids
from harness.fakes.openai.keys import AZURE_PREFIX, Keys
from harness.fakes.openai.models import ModelsList
from harness.fakes.openai.settings import FakeSettings
from harness.peer.stalls import StallWatch
from harness.speech.library import Library, load_library

MANAGEMENT_PATH = "/_fake"

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


class FakeOpenAI:
    """The fake in one process: `app` serves it, with its management. Raises UsageError for bad settings."""

    def __init__(self, settings: FakeSettings, library: Library | None = None) -> None:
        ids = Ids(random.Random(settings.seed))  # noqa: S311  (replayable on purpose)
        self.plan = FaultPlan(OPENAI_FAULTS, seed=settings.seed, faults=settings.faults)
        self._endpoints = Endpoints(settings, ids, OneProcess(self.plan), library)
        self.calls, self.keys = self._endpoints.calls, self._endpoints.keys
        inspected = InspectedProcess(self.calls, self.keys, self._endpoints.arrivals)
        management = management_route(self.plan, inspected, settings)
        self.app = api_app(
            [*self._endpoints.routes, management],
            settings,
            self._endpoints.lifespan,
            self._endpoints.arrivals,
        )


class Endpoints:
    """What OpenAI serves, in this process, with the calls made there."""

    def __init__(
        self, settings: FakeSettings, ids: Ids, sharing: Sharing, library: Library | None = None
    ) -> None:
        clock = MonotonicClock()
        self.calls = Calls(settings, library or load_library(), clock, ids)
        self.keys = Keys(settings.api_keys, clock, ids)
        self.arrivals = Arrivals(clock)
        signaling = Signaling(settings, self.calls, self.keys, sharing)
        sockets = Sockets(settings, self.calls, self.keys, sharing)
        live = LiveFrontDoor(settings, self.calls, self.keys, sharing)
        realtime: list[BaseRoute] = [
            Route(CALLS_PATH, signaling.create, methods=["POST"]),
            WebSocketRoute("/v1/realtime", sockets.connect),
            *Control(settings, self.calls, self.keys, sharing).routes(),
        ]
        self.routes: list[BaseRoute] = [
            *realtime,
            Route(SESSIONS_PATH, live.create, methods=["POST"]),
            *ModelsList(settings, self.keys).routes(),
            Mount(AZURE_PREFIX, routes=realtime),
        ]

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Nothing is left of any call when it is over."""
        unlisten = StallWatch.shared().listen(lambda _seconds: None)  # also while there is no call
        try:
            yield
        finally:
            unlisten()
            await self.calls.end_all("server-stopped")


def management_route(plan: FaultPlan, inspected: Inspected, settings: FakeSettings) -> Mount:
    """`/_fake/`."""
    access = Access(settings.management_token, settings.management_hosts)
    routes = [*fault_routes(plan, access), *inspection_routes(inspected, plan, MonotonicClock(), access)]
    return Mount(MANAGEMENT_PATH, routes=routes)


def api_app(
    routes: Sequence[BaseRoute],
    settings: FakeSettings,
    lifespan: Lifespan | None = None,
    arrivals: Arrivals | None = None,
) -> Starlette:
    """An app that refuses as the API does, and lets pages call it; every request is told to `arrivals`."""
    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(settings.origins),
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=EXPOSED_HEADERS.split(", "),
    )
    handlers: dict[Any, Any] = {HTTPException: _http_error, errors.ApiError: _api_error}
    middleware = [cors]
    if arrivals is not None:
        middleware.insert(0, Middleware(Recording, arrivals, apart_from=MANAGEMENT_PATH))
    return Starlette(routes=routes, middleware=middleware, exception_handlers=handlers, lifespan=lifespan)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for this class)
    if error.status_code == 405:
        return errors.wrong_method(request.method, request.url.path).response()
    return errors.unknown_url(request.method, request.url.path).response()


async def _api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.ApiError)  # noqa: S101  (registered for this class)
    return error.response()
