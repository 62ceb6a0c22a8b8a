"""One offer in, one answer or one honest refusal out."""

from __future__ import annotations

import copy
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from harness.core.dialects import SDP, Dialect
from harness.core.json_paths import WHOLE, put
from harness.fakes.relay.guard import CallerGuard
from harness.fakes.relay.hooks import RelayFault
from harness.fakes.relay.offers import check_offer, read_offer
from harness.fakes.relay.refusal import Refusal
from harness.fakes.relay.settings import RelaySettings
from harness.fakes.relay.upstream import UpstreamClient, UpstreamReply, failure, write_form


class Mistaken(Exception):  # noqa: N818  (an outcome, not an error of the program)
    """A call that was made is taken for none: this goes out instead of its answer."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class RelayExchange:
    """The relay's work on one request, with the faults that this request meets."""

    def __init__(
        self,
        request: Request,
        body: bytes,
        settings: RelaySettings,
        upstream: UpstreamClient,
        guard: CallerGuard,
        faults: Sequence[RelayFault],
        bridge: Callable[[str], Awaitable[str]] | None = None,
    ) -> None:
        """`bridge`: answers the offer in place of the upstream, as a gateway does."""
        self._request = request
        self._body = body
        self._settings = settings
        self._upstream = upstream
        self._guard = guard
        self._faults = faults
        self._bridge = bridge
        self._reply: UpstreamReply | None = None

    @property
    def made(self) -> UpstreamReply | None:
        """The upstream's reply, where it made a call."""
        return self._reply if self._reply is not None and self._reply.is_answer else None

    async def run(self) -> Response:
        """The response."""
        # What turns the caller away at the door stands before all that could spoil an answer.
        for fault in self._faults:
            if (refused := await fault.receive(self._request)) is not None:
                return refused
        response = await self._responded()
        for fault in self._faults:
            response = await fault.respond(response)
        return response

    async def _responded(self) -> Response:
        try:
            return await self._answered()
        except Mistaken as mistaken:
            return mistaken.response
        except Refusal as refusal:
            for fault in self._faults:
                if (response := await fault.refuse(refusal, self._reply)) is not None:
                    return response
            return refusal.response()

    async def _answered(self) -> Response:
        self._authorize()
        offer, sent_along = read_offer(
            self._body,
            self._request.headers.get("content-type", ""),
            self._request.query_params,
            self._settings.read,
        )
        if not any(f.accepts_any_offer for f in self._faults):
            check_offer(offer)
        answer = await self._bridged(offer) if self._bridge else await self._guarded(offer, sent_along)
        for fault in self._faults:
            answer = fault.answer(answer)
        return write_answer(answer, self._settings.dialect)

    async def _bridged(self, offer: bytes) -> bytes:
        assert self._bridge is not None  # noqa: S101  (asked by the caller)
        return (await self._bridge(offer.decode())).encode()

    def _authorize(self) -> None:
        if not any(f.admits_anyone for f in self._faults):
            authorize(self._request, self._settings.bearer_token)

    async def _guarded(self, offer: bytes, sent_along: dict[str, Any]) -> bytes:
        how = next((f.guards for f in self._faults if f.guards), None)
        if how is None and not self._settings.one_call_per_caller:
            return await self._forward(offer, sent_along)
        async with self._guard.one_call(self._request, how or "kept") as keep:
            answer = await self._forward(offer, sent_along)
            assert self._reply is not None  # noqa: S101  (an answer is a reply)
            await keep(self._reply)
        return answer

    async def _forward(self, offer: bytes, sent_along: dict[str, Any]) -> bytes:
        for fault in self._faults:
            offer = fault.offer(offer)
        form = write_form(offer, self._session_part(sent_along))
        for fault in self._faults:
            form = fault.form(form)
        method, url = "POST", self._settings.calls_url
        for fault in self._faults:
            method, url = fault.request(method, url)
        for _ in range(max((f.copies for f in self._faults), default=1)):
            self._reply = await self._upstream.create_call(form, method, url)
        assert self._reply is not None  # noqa: S101  (copies is at least 1)
        if not self._reply.is_answer:
            raise failure(self._reply)
        for fault in self._faults:
            if (mistake := await fault.created(self._reply)) is not None:
                raise Mistaken(mistake)
        if any(f.holds_calls for f in self._faults):
            self._upstream.held.append(self._reply)
        key = next((f.hangs_up_with for f in self._faults if f.hangs_up_with), "")
        if await self._request.is_disconnected() and not any(f.abandons for f in self._faults):
            await self._upstream.hang_up(self._reply, key)
        limits = [self._settings.call_seconds, *(f.ends_after() for f in self._faults)]
        if longest := next((each for each in limits if each), None):
            self._upstream.hang_up_after(longest, self._reply, key)
        return self._reply.body

    def _session_part(self, sent_along: dict[str, Any]) -> bytes | None:
        session = copy.deepcopy(self._settings.session)
        for fault in self._faults:
            session = fault.session(session, sent_along)
        part: bytes | None = json.dumps(session).encode()
        for fault in self._faults:
            part = fault.session_part(part) if part is not None else None
        return part


def authorize(request: Request, expected: str | None) -> None:
    """Raises Refusal for who does not present the bearer token; None lets anyone in."""
    if expected is None:
        return
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), expected.encode()):
        raise Refusal(401, "unauthorized", "a bearer token is needed", {"WWW-Authenticate": "Bearer"})


def write_answer(answer: bytes, dialect: Dialect) -> Response:
    """The answer where the dialect has it; as SDP it is not touched at all."""
    status = dialect.statuses[0] if dialect.statuses else 200
    if not dialect.answer:
        return Response(answer, status, media_type=SDP)
    text = answer.decode()
    if dialect.answer == WHOLE:
        return JSONResponse(text, status)
    wrapped = put({}, dialect.answer, text)
    if dialect.answer.rpartition(".")[2] == "sdp":  # as an RTCSessionDescription is written
        wrapped = put(wrapped, dialect.answer.removesuffix("sdp") + "type", "answer")
    return JSONResponse(wrapped, status)
