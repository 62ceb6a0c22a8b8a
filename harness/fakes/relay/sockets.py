"""A WebSocket in, a WebSocket to OpenAI out: messages pass as they are, and what ends one ends the other."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import Sequence
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketState
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from harness.core.probes import CALL_HEADER
from harness.fakes.relay.dialing import dial
from harness.fakes.relay.refusal import Refusal
from harness.fakes.relay.settings import RelaySettings
from harness.fakes.relay.socket_hooks import Message, SocketFault
from harness.fakes.serving import drop_connection, keep_alive

SUBPROTOCOL = "realtime"
NORMAL, GOING_AWAY, TOO_BIG, BROKEN = 1000, 1001, 1009, 1011


class SocketRelay:
    """One caller's connection, with the faults that it meets."""

    def __init__(self, websocket: WebSocket, settings: RelaySettings, faults: Sequence[SocketFault]) -> None:
        self._websocket = websocket
        self._settings = settings
        self._faults = faults
        self._update_unanswered = True

    async def run(self) -> None:
        """Until both ends are closed."""
        try:
            for fault in self._faults:
                if (refused := await fault.upgrade(self._websocket)) is not None:
                    await self._websocket.send_denial_response(refused)
                    return
            self._authorize()
            if accepted := any(f.accepts_first for f in self._faults):
                await self._accept()
            upstream = await self._dial() if all(f.opens_upstream for f in self._faults) else None
        except Refusal as refusal:
            if self._websocket.application_state is WebSocketState.CONNECTED:
                await self._websocket.close(BROKEN, refusal.code)
            else:
                await self._websocket.send_denial_response(refusal.response())
            return
        try:
            if not accepted:
                await self._accept()
            if any(f.closes_at_once for f in self._faults):
                await self._websocket.close(BROKEN, "the handler is over")
            elif upstream is None:
                await self._wait_in_vain()
            else:
                await self._relay(upstream)
        finally:
            if upstream is not None:
                await upstream.close()

    # --- opening ---

    def _authorize(self) -> None:
        expected = self._settings.bearer_token
        scheme, _, token = self._websocket.headers.get("authorization", "").partition(" ")
        let_in = expected is None or (
            scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), expected.encode())
        )
        if not let_in and not any(f.admits_anyone for f in self._faults):
            raise Refusal(401, "unauthorized", "a bearer token is needed", {"WWW-Authenticate": "Bearer"})
        # No preflight guards a WebSocket: whoever answers it has to look at Origin (RFC 6455, section 10.2).
        origin, origins = self._websocket.headers.get("origin"), self._settings.origins
        foreign = origin is not None and bool(origins) and origin not in origins
        if foreign and not any(f.admits_any_origin for f in self._faults):
            raise Refusal(403, "foreign_origin", "this page may not call")

    async def _dial(self) -> ClientConnection:
        """The connection to OpenAI. Raises Refusal."""
        headers, subprotocols = self._settings.authorization, [SUBPROTOCOL]
        if name := self._websocket.headers.get(CALL_HEADER):
            headers[CALL_HEADER] = name
        for fault in self._faults:
            headers, subprotocols = fault.asks(headers, subprotocols)
        return await dial(self._settings, headers=headers, subprotocols=subprotocols)

    async def _accept(self) -> None:
        pinged = all(f.pings for f in self._faults)
        keep_alive(
            self._websocket.scope,
            interval=self._settings.ping_seconds if pinged else None,
            answers=all(f.answers_pings for f in self._faults),
        )
        offered = self._websocket.scope.get("subprotocols", [])
        headers: list[tuple[bytes, bytes]] = []
        for fault in self._faults:
            headers = fault.answers(headers)
        await self._websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None, headers=headers)

    # --- both ways ---

    async def _relay(self, upstream: ClientConnection) -> None:
        up = asyncio.create_task(self._from_caller(upstream))
        down = asyncio.create_task(self._from_upstream(upstream))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            caller_is_gone = up.done() and up.result()
            if not caller_is_gone:
                await self._tell_end(upstream, up)
            elif not all(f.ends_with_caller for f in self._faults):
                await asyncio.wait({down})
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _tell_end(self, upstream: ClientConnection, up: asyncio.Task[bool]) -> None:
        if not all(f.ends_with_upstream for f in self._faults):
            await asyncio.wait({up})
            return
        code, reason = upstream.close_code or BROKEN, upstream.close_reason or ""
        how: tuple[int, str] | None = (code if code not in (1005, 1006) else BROKEN, reason)
        for fault in self._faults:
            how = fault.close(*how) if how is not None else None
        if how is None:
            drop_connection(self._websocket.scope)
            return
        with contextlib.suppress(Exception):  # the caller was quicker to close
            await self._websocket.close(how[0], how[1][:120])

    async def _from_caller(self, upstream: ClientConnection) -> bool:
        """Whether it was the caller who ended."""
        longest = min((f.longest for f in self._faults if f.longest is not None), default=None)
        pause = max((f.seconds_a_message for f in self._faults), default=0.0)
        while (message := await self._received()) is not None:
            if longest is not None and len(message) > longest:
                await self._websocket.close(TOO_BIG, "message too big")
                return True
            if pause:
                await asyncio.sleep(pause)
            for each in self._changed(message, "to_upstream"):
                try:
                    await upstream.send(each)
                except ConnectionClosed:
                    if all(f.ends_with_upstream for f in self._faults):
                        return False
        return True

    async def _received(self) -> Message | None:
        event = await self._websocket.receive()
        if event["type"] == "websocket.disconnect":
            return None
        text = event.get("text")
        return text if text is not None else event.get("bytes") or b""

    async def _from_upstream(self, upstream: ClientConnection) -> None:
        async for message in upstream:
            if self._answers_our_update(message):
                continue
            for each in self._changed(message, "to_caller"):
                with contextlib.suppress(Exception):  # the caller has gone, which its own reader tells
                    if isinstance(each, str):
                        await self._websocket.send_text(each)
                    else:
                        await self._websocket.send_bytes(each)

    def _answers_our_update(self, message: Message) -> bool:
        """The reply to what the relay configured is none of the caller's business."""
        if self._update_unanswered and isinstance(message, str) and '"session.updated"' in message[:80]:
            self._update_unanswered = False
            return True
        return False

    def _changed(self, message: Message, hook: str) -> list[Message]:
        messages = [message]
        for fault in self._faults:
            messages = [changed for each in messages for changed in getattr(fault, hook)(each)]
        return messages

    async def _wait_in_vain(self) -> None:
        while await self._received() is not None:
            pass


def http_page(html: str) -> Response:
    """What answers an upgrade where no WebSocket is."""
    return Response(html, media_type="text/html")


def json_error(status: int, code: str, message: str) -> Response:
    """An error in the relay's own shape."""
    body: dict[str, Any] = {"error": {"code": code, "message": message}}
    return JSONResponse(body, status)
