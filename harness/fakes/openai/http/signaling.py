"""POST /v1/realtime/calls: an offer in, an answer or a refusal out (docs/fake.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from harness.core.sdp import parse_sdp
from harness.fakes.bodies import (
    BodyIncompleteError,
    BodyTooLargeError,
    FormPart,
    MultipartInvalidError,
    media_type,
    parse_multipart,
    peek_ufrag,
    read_body,
)
from harness.fakes.faults.plan import CallFaults
from harness.fakes.openai import errors
from harness.fakes.openai.calls import Calls
from harness.fakes.openai.errors import ApiError
from harness.fakes.openai.http.arrivals import CALL_SCOPE
from harness.fakes.openai.http.sharing import Sharing
from harness.fakes.openai.keys import Keys, bearer, is_azure
from harness.fakes.openai.media.offers import read_offer
from harness.fakes.openai.record import UpstreamRecord
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.signaling_fault import refused_on_purpose

CALLS_PATH = "/v1/realtime/calls"
EXPOSED_HEADERS = "Location, X-Request-Id"


@dataclass(frozen=True)
class CallRequest:
    """What came, taken apart. `problem` says why it could not be."""

    body: bytes
    parts: tuple[FormPart, ...] = ()
    offer: bytes = b""
    session: bytes | None = None
    problem: ApiError | None = None

    @cached_property
    def ufrag(self) -> str:
        """The call's name, also where the body could not be taken apart; `""` where it has none."""
        return parse_sdp(self.offer.decode("utf-8", "replace")).ice_ufrag or peek_ufrag(self.body) or ""


class Signaling:
    """The endpoint that makes WebRTC calls."""

    def __init__(self, settings: FakeSettings, calls: Calls, keys: Keys, sharing: Sharing) -> None:
        self._settings = settings
        self._calls = calls
        self._keys = keys
        self._sharing = sharing

    async def create(self, request: Request) -> Response:
        """Make a call. Every attempt leaves a record, also one that is refused."""
        record = self._calls.begin(bearer(request))
        request.scope[CALL_SCOPE] = record.id
        asked = await self._taken_apart(request)
        record.begin(ufrag=asked.ufrag, offer=asked.offer)
        self._calls.distinct.add(asked.ufrag)
        record.request(request, asked.body, asked.parts)
        faults = await self._sharing.faults_of(record)
        record.faults = faults.values()
        try:
            response = await refused_on_purpose(request, faults)
            if response is None:
                answer = await self._answer(request, asked, record, faults)
                response = self._answered(request, record, answer)
        except ApiError as error:
            response = error.response()
        except BaseException:
            record.no_response("dropped", "the request was broken off")
            self._give_up(record, "request-broken-off")
            raise
        record.response(response)
        if response.status_code != 201:
            self._give_up(record, f"refused-{response.status_code}")
        elif await request.is_disconnected():
            record.no_response("dropped", "the client hung up before the answer")
            self._give_up(record, "client-gone")
        return response

    def _answered(self, request: Request, record: UpstreamRecord, answer: str) -> Response:
        headers = {
            "Content-Type": self._settings.answer_media_type,
            "Location": f"{request.url.path}/{record.id}",
            "Access-Control-Expose-Headers": EXPOSED_HEADERS,
            "X-Request-Id": self._calls.new_id("req"),
        }
        return Response(answer, 201, headers)

    def _give_up(self, record: UpstreamRecord, reason: str) -> None:
        if (call := self._calls.find(record.id)) is not None:
            call.end(reason)
        self._calls.refuse(record, reason)

    async def _answer(
        self, request: Request, asked: CallRequest, record: UpstreamRecord, faults: CallFaults
    ) -> str:
        ephemeral = self._keys.check(request)
        if asked.problem is not None:
            raise asked.problem
        if ephemeral is None and not asked.parts and self._settings.refuse_project_key_on_raw_sdp:
            raise errors.project_key_refused()
        session = self._session(asked.session, request) if asked.session is not None else None
        if session is None and ephemeral is not None:
            session = ephemeral.session
        if session is None and (model := request.query_params.get("model")):
            session = self._session_of(model, request)
        offer = read_offer(asked.offer)
        return await self._calls.answer(record, offer, session, faults)

    def _session_of(self, model: str, request: Request) -> dict[str, Any]:
        if self._settings.refuse_model_query:
            raise errors.invalid_parameter("model", "Unknown parameter: 'model'.", "unknown_parameter")
        session = {"type": "realtime", "model": model}
        self._calls.check_session(session, any_model=is_azure(request))
        return session

    def _session(self, part: bytes, request: Request) -> dict[str, Any] | None:
        try:
            session = json.loads(part)
        except (ValueError, RecursionError) as error:
            raise errors.invalid_parameter(
                "session", "'session' is not valid JSON.", "invalid_json"
            ) from error
        if self._settings.refuse_bad_session:
            self._calls.check_session(session, any_model=is_azure(request))
        return session if isinstance(session, dict) else None

    async def _taken_apart(self, request: Request) -> CallRequest:
        settings = self._settings
        try:
            body = await read_body(request, limit=settings.longest_body, within=settings.read_seconds)
        except BodyTooLargeError:
            return CallRequest(b"", problem=errors.too_large())
        except BodyIncompleteError:
            return CallRequest(b"", problem=ApiError(408, "The request body did not arrive in time."))
        content_type = request.headers.get("content-type", "")
        kind = media_type(content_type)
        if kind == "application/sdp":
            return CallRequest(body, offer=body)
        if kind != "multipart/form-data":
            return CallRequest(body, problem=errors.unsupported_media_type(kind))
        try:
            parts = parse_multipart(body, content_type)
        except MultipartInvalidError:
            return CallRequest(body, problem=errors.bad_multipart())
        fields = {part.name: part.body for part in parts}
        if "sdp" not in fields:
            missing = errors.invalid_parameter(
                "sdp", "Missing required parameter: 'sdp'.", "missing_required_parameter"
            )
            return CallRequest(body, parts, problem=missing)
        return CallRequest(body, parts, fields["sdp"], fields.get("session"))
