"""The other endpoints: call control, ephemeral keys, and what is no longer served (docs/fake.md)."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness.core.clock import unix_time
from harness.core.probes import HANG_UP
from harness.fakes.bodies import BodyIncompleteError, BodyTooLargeError, read_body
from harness.fakes.openai import errors
from harness.fakes.openai.calls import Call, Calls
from harness.fakes.openai.errors import ApiError
from harness.fakes.openai.http.sharing import Sharing
from harness.fakes.openai.keys import Keys, bearer, is_azure
from harness.fakes.openai.settings import FakeSettings

SHORTEST_SECRET_SECONDS, LONGEST_SECRET_SECONDS, DEFAULT_SECRET_SECONDS = 10, 7200, 600


class Control:
    """Endpoints that steer calls rather than make them."""

    def __init__(self, settings: FakeSettings, calls: Calls, keys: Keys, sharing: Sharing) -> None:
        self._settings = settings
        self._calls = calls
        self._keys = keys
        self._sharing = sharing

    def routes(self) -> list[Route]:
        """All of them."""
        call = "/{call_id}"
        verbs = {
            "hangup": self._hang_up,
            "accept": self._accept,
            "reject": self._reject,
            "refer": self._refer,
        }
        return [
            *(
                Route(f"{base}{call}/{verb}", endpoint, methods=["POST"])
                for base in ("/v1/realtime/calls", "/v1/live/sessions")
                for verb, endpoint in verbs.items()
            ),
            Route("/v1/realtime/client_secrets", self._client_secret, methods=["POST"]),
            *(
                Route(path, self._retired, methods=["POST"])
                for path in (
                    "/v1/realtime",
                    "/v1/realtime/sessions",
                    "/v1/realtime/transcription_sessions",
                )
            ),
        ]

    async def _hang_up(self, request: Request) -> Response:
        """A call is there only for the key that made it (user reports, November 2026)."""
        call_id = request.path_params["call_id"]
        if (asked := self._calls.find(call_id)) is not None:
            asked.record.asked(request)
        try:
            call = self._call(request)
            if not call.record.is_of(bearer(request)):
                raise errors.call_not_found(call_id)
        except ApiError as error:
            if asked is not None:
                asked.record.response(error.response(), purpose=HANG_UP)
            raise
        call.record.response(Response(), purpose=HANG_UP)
        call.end("hangup-requested")
        return Response()

    async def _accept(self, request: Request) -> Response:
        """Only calls that come in over SIP wait to be accepted; for others it is a check of the session."""
        self._call(request)
        body = await self._json(request)
        self._calls.check_session(body.get("session", body))
        return Response()

    async def _reject(self, request: Request) -> Response:
        call = self._call(request)
        status = (await self._json(request)).get("status_code", 603)
        if not isinstance(status, int) or not 300 <= status <= 699:
            raise errors.invalid_parameter("status_code", "Expected a SIP status code from 300 to 699.")
        call.end(f"rejected-{status}")
        return Response()

    async def _refer(self, request: Request) -> Response:
        call = self._call(request)
        target = (await self._json(request)).get("target_uri")
        if not isinstance(target, str) or not target.startswith(("tel:", "sip:", "sips:")):
            raise errors.invalid_parameter("target_uri", "Expected a tel: or sip: URI.")
        call.end("referred")
        return Response()

    async def _client_secret(self, request: Request) -> Response:
        self._keys.check(request, secret_only=True)
        body = await self._json(request)
        seconds = _lifetime(body.get("expires_after"))
        config = body.get("session") or {"type": "realtime"}
        effective = self._calls.effective_session(config, any_model=is_azure(request))
        key = self._keys.issue(seconds, config)
        await self._sharing.issued(key)
        return JSONResponse({"value": key.value, "expires_at": unix_time() + seconds, "session": effective})

    async def _retired(self, request: Request) -> Response:
        self._keys.check(request)
        raise errors.beta_disabled()

    def _call(self, request: Request) -> Call:
        self._keys.check(request, secret_only=True)
        call_id = request.path_params["call_id"]
        call = self._calls.find(call_id)
        if call is None:
            raise errors.call_not_found(call_id)
        return call

    async def _json(self, request: Request) -> dict[str, Any]:
        return await read_json(request, self._settings)


async def read_json(request: Request, settings: FakeSettings) -> dict[str, Any]:
    """The body as a JSON object; an empty body is an empty object. Raises ApiError."""
    try:
        body = await read_body(request, limit=settings.longest_body, within=settings.read_seconds)
        data = json.loads(body or b"{}")
    except BodyTooLargeError as error:
        raise errors.too_large() from error
    except BodyIncompleteError as error:
        raise ApiError(408, "The request body did not arrive in time.") from error
    except (ValueError, RecursionError) as error:
        raise errors.invalid_json() from error
    if not isinstance(data, dict):
        raise errors.invalid_json()
    return data


def _lifetime(expires_after: object) -> int:
    if expires_after is None:
        return DEFAULT_SECRET_SECONDS
    if not isinstance(expires_after, dict) or expires_after.get("anchor", "created_at") != "created_at":
        raise errors.invalid_parameter("expires_after.anchor", "Supported values are: 'created_at'.")
    seconds = expires_after.get("seconds", DEFAULT_SECRET_SECONDS)
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise errors.invalid_parameter("expires_after.seconds", "Expected an integer.", "invalid_type")
    if not SHORTEST_SECRET_SECONDS <= seconds <= LONGEST_SECRET_SECONDS:
        span = f"from {SHORTEST_SECRET_SECONDS} to {LONGEST_SECRET_SECONDS}"
        raise errors.invalid_parameter("expires_after.seconds", f"Expected a value {span}.")
    return seconds
