"""The reference relay as a WHIP server (RFC 9725): an offer makes a session, asked and ended by HTTP.

It takes candidates (section 4.3.2) and drops them, since the upstream needs none; it cannot restart ICE.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from harness.core.dialects import SDP
from harness.fakes.bodies import BodyIncompleteError, BodyTooLargeError, media_type, peek_ufrag, read_body
from harness.fakes.faults.plan import FaultPlan
from harness.fakes.relay.exchange import authorize
from harness.fakes.relay.refusal import Refusal
from harness.fakes.relay.settings import RelaySettings
from harness.fakes.relay.upstream import UpstreamReply
from harness.fakes.relay.whip_hooks import WHIP, Asked, WhipFault

FRAGMENT = "application/trickle-ice-sdpfrag"  # RFC 8840
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
EXPOSED = "Location, ETag, Link, Accept-Post"  # what a page of another origin may read (Fetch, section 3.3.5)
MOST_SESSIONS = 10_000


class MadeCall(NamedTuple):
    """What became of an offer: the response, and where it made a call the upstream's reply and its name."""

    response: Response
    reply: UpstreamReply | None = None
    ufrag: str = ""


@dataclass(frozen=True)
class RelaySession:
    """A call with its name in URLs, the ufrag that its caller offered with, and its entity-tag."""

    made: UpstreamReply
    ufrag: str
    etag: str


class WhipServer:
    """Sessions of one relay. `make_call` exchanges an offer, `hang_up` ends its call upstream."""

    def __init__(
        self,
        settings: RelaySettings,
        plan: FaultPlan,
        make_call: Callable[[Request], Awaitable[MadeCall]],
        hang_up: Callable[[UpstreamReply], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._plan = plan
        self._make_call = make_call
        self._hang_up = hang_up
        self._sessions: OrderedDict[str, RelaySession] = OrderedDict()
        self._count = 0

    async def endpoint(self, request: Request) -> Response:
        """Where offers go."""
        if request.method == "POST":
            return await self._create(request)
        if request.method == "OPTIONS":
            return self._answered("options", Response(headers={"Accept-Post": SDP, "Allow": _allow("POST")}))
        if request.method in ("GET", "HEAD"):
            return self._answered("get", Response(status_code=204))
        return self._answered("other-method", _not_allowed("POST"))

    async def session(self, request: Request) -> Response:
        """What Location names: who may not ask is told nothing, not even whether there is one."""
        name = request.path_params["session"]
        session = self._sessions.get(name)
        gone = Refusal(404, "session_not_found", "there is no such session")
        if session is None and any(f.looks_before_asking for f in self._faults()):
            return gone.response()
        try:
            if not (request.method == "DELETE" and any(f.lets_anyone_end for f in self._faults())):
                authorize(request, self._settings.bearer_token)
        except Refusal as refusal:
            return refusal.response()
        if session is None:
            return self._answered("gone", gone.response())
        match request.method:
            case "DELETE":
                return await self._end(name, session)
            case "PATCH":
                asked, response = await self._patched(request, session)
                if asked == "restart" and any(f.ends_at_restart for f in self._faults()):
                    await self._end(name, session)
                return self._answered(asked, response)
            case "GET" | "HEAD":
                return self._answered("get", Response(status_code=204))
            case _:
                return self._answered("other-method", _not_allowed("PATCH", "DELETE"))

    async def _create(self, request: Request) -> Response:
        response, made, ufrag = await self._make_call(request)
        if made is None or response.status_code >= 300:
            return self._answered("bad-post", response)
        self._count += 1
        name = secrets.token_urlsafe(24)
        if any(f.counts_sessions for f in self._faults()):
            name = str(self._count)
        etag = f'"{secrets.token_hex(8)}"'
        for fault in self._faults():
            etag = fault.tag(etag)
        self._sessions[name] = RelaySession(made, ufrag, etag)
        if len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        response.headers["Location"] = f"{request.url.path}/{name}"
        if etag:
            response.headers["ETag"] = etag
        return self._answered("create", response)

    async def _end(self, name: str, session: RelaySession) -> Response:
        response = self._answered("delete", Response(status_code=200))
        if response.status_code < 300:
            del self._sessions[name]
            if not any(f.keeps_calls for f in self._faults()):
                await self._hang_up(session.made)
        return response

    async def _patched(self, request: Request, session: RelaySession) -> tuple[Asked, Response]:
        """By section 4.3.1; RFC 9110, section 15.5, has the statuses."""
        if media_type(request.headers.get("content-type")) != FRAGMENT:
            return "bad-patch", Refusal(415, "unsupported_media_type", f"send {FRAGMENT}").response()
        try:
            settings = self._settings
            body = await read_body(request, limit=settings.longest_body, within=settings.read_seconds)
        except (BodyTooLargeError, BodyIncompleteError):
            return "bad-patch", Refusal(400, "invalid_fragment", "the fragment did not come whole").response()
        ufrag = peek_ufrag(body)
        if ufrag is None or b"a=ice-pwd:" not in body:
            return "bad-patch", Refusal(400, "invalid_fragment", "the fragment has no ICE part").response()
        if ufrag != session.ufrag:
            refusal = Refusal(422, "restart_unsupported", "the voice service cannot restart its ICE")
            return "restart", refusal.response()
        given = request.headers.get("if-match")
        if given is None and session.etag:
            refusal = Refusal(428, "precondition_required", "send If-Match with the session's entity-tag")
            return "unconditional", refusal.response()
        if given is not None and given not in ("*", session.etag):
            return "stale", Refusal(412, "precondition_failed", "the session has another tag").response()
        return "candidates", Response(status_code=204)

    def _faults(self) -> list[WhipFault]:
        """Those planned at all: most requests carry no offer that would tell whose they are."""
        planned = [(each.fault, each.value) for each in self._plan]
        return [unit(value, self._settings) for unit, value, _ in WHIP.met(planned)]

    def _answered(self, asked: Asked, response: Response) -> Response:
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        for fault in self._faults():
            response = fault.respond(asked, response)
        return response


def _allow(*methods: str) -> str:
    return ", ".join(["OPTIONS", "GET", "HEAD", *methods])


def _not_allowed(*methods: str) -> Response:
    refusal = Refusal(405, "method_not_allowed", f"use {' or '.join(methods)}")
    response = refusal.response()
    response.headers["Allow"] = _allow(*methods)
    return response
