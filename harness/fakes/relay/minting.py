"""A token relay: a page asks for an ephemeral key, and calls upstream itself with it."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from harness.fakes.relay.exchange import authorize
from harness.fakes.relay.guard import CallerGuard
from harness.fakes.relay.hooks import RelayFault
from harness.fakes.relay.refusal import Refusal
from harness.fakes.relay.settings import KEY_SECONDS, RelaySettings
from harness.fakes.relay.upstream import UpstreamClient

# A key is one caller's: nothing between may keep it (RFC 9111, section 5.2.2.5).
NOT_KEPT = {"Cache-Control": "no-store"}


class KeyExchange:
    """The relay's work on one request for a key: the session is its own, and nothing of the page goes in."""

    def __init__(
        self,
        request: Request,
        body: bytes,
        settings: RelaySettings,
        upstream: UpstreamClient,
        _guard: CallerGuard,  # of calls: a key is none yet
        faults: Sequence[RelayFault],
    ) -> None:
        self._request = request
        self._body = body
        self._settings = settings
        self._upstream = upstream
        self._faults = faults

    async def run(self) -> Response:
        """The response."""
        for fault in self._faults:
            if (refused := await fault.receive(self._request)) is not None:
                return refused
        try:
            response: Response = JSONResponse(await self._minted(), headers=NOT_KEPT)
        except Refusal as refusal:
            response = refusal.response()
        for fault in self._faults:
            response = await fault.respond(response)
        return response

    async def _minted(self) -> object:
        if not any(f.admits_anyone for f in self._faults):
            authorize(self._request, self._settings.bearer_token)
        session = copy.deepcopy(self._settings.session)
        asked: dict[str, Any] = {
            "expires_after": {"anchor": "created_at", "seconds": KEY_SECONDS},
            "session": session,
        }
        for fault in self._faults:
            asked = fault.mint(asked, self._sent_along())
        answer: object = await self._upstream.mint(asked)
        for fault in self._faults:
            answer = await fault.minted(answer) if isinstance(answer, dict) else answer
        return answer

    def _sent_along(self) -> dict[str, Any]:
        try:
            data = json.loads(self._body or b"{}")
        except (ValueError, RecursionError):
            return {}
        return data if isinstance(data, dict) else {}
