"""The fake OpenAI as an ASGI app."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute

from harness.core.clock import MonotonicClock
from harness.core.realtime_events import client_events
from harness.fakes.faults.catalogue import OPENAI_FAULTS
from harness.fakes.faults.plan import FaultPlan
from harness.fakes.management import fault_routes
from harness.fakes.openai import errors
from harness.fakes.openai.calls import Calls
from harness.fakes.openai.control import Control
from harness.fakes.openai.conversation.ids import Ids
from harness.fakes.openai.inspection import inspection_routes
from harness.fakes.openai.keys import Keys
from harness.fakes.openai.live import SESSIONS_PATH, LiveFrontDoor
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.signaling import CALLS_PATH, Signaling
from harness.fakes.openai.sockets import Sockets
from harness.speech.library import Library, load_library


class FakeOpenAI:
    """The fake of one process; `app` serves it. Raises UsageError for settings that cannot be used."""

    def __init__(self, settings: FakeSettings, library: Library | None = None) -> None:
        self.settings = settings
        clock = MonotonicClock()
        ids = Ids(random.Random(settings.seed))  # noqa: S311  (replayable on purpose)
        self.plan = FaultPlan(OPENAI_FAULTS, seed=settings.seed, faults=settings.faults)
        self.calls = Calls(settings, library or load_library(), clock, ids)
        self.keys = Keys(settings.api_keys, clock, ids)
        signaling = Signaling(settings, self.calls, self.keys, self.plan)
        sockets = Sockets(settings, self.calls, self.keys, self.plan)
        live = LiveFrontDoor(settings, self.calls, self.keys, self.plan)
        token = settings.management_token
        management = [
            *fault_routes(self.plan, token),
            *inspection_routes(self.calls, self.keys, self.plan, clock, token),
        ]
        self.app = Starlette(
            routes=[
                Route(CALLS_PATH, signaling.create, methods=["POST"]),
                Route(SESSIONS_PATH, live.create, methods=["POST"]),
                WebSocketRoute("/v1/realtime", sockets.connect),
                *Control(settings, self.calls, self.keys).routes(),
                Mount("/_fake", routes=management),
            ],
            middleware=[
                Middleware(
                    CORSMiddleware,
                    allow_origins=list(settings.origins),
                    allow_methods=["GET", "POST"],
                    allow_headers=["*"],
                    expose_headers=["Location"],
                )
            ],
            exception_handlers={HTTPException: _http_error, errors.ApiError: _api_error},
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        client_events()  # loaded now, lest the first caller wait for it
        try:
            yield
        finally:
            await self.calls.end_all("server-stopped")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for this class)
    if error.status_code == 405:
        return errors.wrong_method(request.method, request.url.path).response()
    return errors.unknown_url(request.method, request.url.path).response()


async def _api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.ApiError)  # noqa: S101  (registered for this class)
    return error.response()
