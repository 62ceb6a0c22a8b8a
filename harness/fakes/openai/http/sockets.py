"""WebSocket: a conversation of its own (`?model=`), or a second hand on a WebRTC call (`?call_id=`)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from harness.core.events import HttpResponse, SocketClosed
from harness.core.probes import CALL_HEADER, UPGRADE
from harness.fakes.openai import errors
from harness.fakes.openai.calls import Calls
from harness.fakes.openai.conversation.session import TRANSCRIPTION
from harness.fakes.openai.errors import ApiError
from harness.fakes.openai.hearing.marks import MarkEar
from harness.fakes.openai.http.arrivals import CALL_SCOPE
from harness.fakes.openai.http.sharing import Sharing
from harness.fakes.openai.ids import call_name
from harness.fakes.openai.keys import Keys, bearer, is_azure
from harness.fakes.openai.media.driver import Driver
from harness.fakes.openai.media.hooks import media_faults
from harness.fakes.openai.models import check_model
from harness.fakes.openai.record import UpstreamRecord
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.signaling_fault import refused_on_purpose
from harness.fakes.serving import drop_connection

SUBPROTOCOL = "realtime"
NORMAL, BETA_REFUSED, TOO_SLOW, BROKEN = 1000, 4000, 1008, 1011
MOST_WAITING = 64 * 1024 * 1024  # bytes not yet sent to a client that does not read
CLOSE_SECONDS = 2.0
LOOKED_AT = 400  # characters of an event, for the name in its event_id
_EVENT_ID = re.compile(r'"event_id"\s*:\s*"evt_([A-Za-z0-9+/]{4,256})_\w+"')


class Listener(Protocol):
    """Who takes the client's messages."""

    def receive(self, message: str | bytes) -> None: ...


class Socket:
    """One accepted WebSocket: `send` never waits, `run` returns when it is over. The medium of a call."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._out: asyncio.Queue[str | None] = asyncio.Queue()
        self._waiting = 0
        self.closing: tuple[int, str] | None = None
        self._over = asyncio.Event()
        self.reason = ""
        self.was_left = False  # by the client, before we closed

    def send(self, text: str) -> None:
        """Queue a message."""
        if self.closing is not None:
            return
        self._waiting += len(text)
        if self._waiting > MOST_WAITING:
            self.close("the client does not read", TOO_SLOW)
        self._out.put_nowait(text)

    def close(self, reason: str, code: int = NORMAL) -> None:
        """Close after what is queued; the first reason stands."""
        if self.closing is None:
            self.closing = (code, reason)
            self.reason = reason
            self._out.put_nowait(None)

    def end(self, reason: str, *, goodbye: bool = True) -> None:  # noqa: ARG002  (a socket always says so)
        """Release the call."""
        self.close(reason)

    async def closed(self) -> None:
        """Return when it is over."""
        await self._over.wait()

    async def run(self, listener: Listener) -> None:
        """Carry messages both ways until one side closes."""
        reading = asyncio.create_task(self._read(listener))
        writing = asyncio.create_task(self._write())
        try:
            await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reading, writing):
                task.cancel()
            await asyncio.wait({reading, writing})
            self._over.set()
        for task in (reading, writing):
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _read(self, listener: Listener) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                self.was_left = self.closing is None
                self.close("hang-up")
                return
            text = message.get("text")
            listener.receive(text if text is not None else message.get("bytes") or b"")

    async def _write(self) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the client was quicker to close
            while (text := await self._out.get()) is not None:
                self._waiting -= len(text)
                await self._websocket.send_text(text)
            code, reason = self.closing or (NORMAL, "")
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._websocket.close(code, reason[:120])


class Aside:
    """The other hand on a call: what it says is taken at once, whether or not the call's media is up."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def receive(self, message: str | bytes) -> None:
        """Take a message."""
        self._driver.receive(message, aside=True)


class SocketControl:
    """What a fault that acts in mid-call may do to a WebSocket."""

    def __init__(self, socket: Socket, websocket: WebSocket) -> None:
        self._socket = socket
        self._websocket = websocket

    def end(self, reason: str, *, goodbye: bool = True) -> None:
        """Close it; without a goodbye the connection is cut."""
        if goodbye:
            self._socket.close(reason, BROKEN)
        else:
            drop_connection(self._websocket.scope)

    def close_channel(self) -> None:
        """A WebSocket has nothing else than its channel."""
        self._socket.close("closed on purpose", BROKEN)

    def send_chunk(self, chunk: bytes) -> None:
        """There is no SCTP."""


class Named:
    """A call without a name has one as soon as an event brings it: our callers number their events."""

    def __init__(self, driver: Driver, record: UpstreamRecord) -> None:
        self._driver = driver
        self._record = record

    def receive(self, message: str | bytes) -> None:
        """Take a message."""
        if not self._record.ufrag:
            text = message if isinstance(message, str) else message[:LOOKED_AT].decode("utf-8", "replace")
            if (found := _EVENT_ID.search(text[:LOOKED_AT])) is not None:
                self._record.ufrag = found[1]
        self._driver.receive(message)


class Sockets:
    """The endpoint `/v1/realtime`."""

    def __init__(self, settings: FakeSettings, calls: Calls, keys: Keys, sharing: Sharing) -> None:
        self._settings = settings
        self._calls = calls
        self._keys = keys
        self._sharing = sharing

    async def connect(self, websocket: WebSocket) -> None:
        """Serve one connection; refusals are HTTP responses to the upgrade."""
        try:
            ephemeral = self._keys.check(websocket)
            session = ephemeral.session if ephemeral is not None else None
            call_id = websocket.query_params.get("call_id")
            if call_id is not None:
                await self._sideband(websocket, call_id)
            elif "realtime=v1" in websocket.headers.get("openai-beta", ""):
                await self._refuse_beta(websocket)
            else:
                await self._converse(websocket, session)
        except ApiError as error:
            await websocket.send_denial_response(error.response())

    async def _converse(self, websocket: WebSocket, session: dict[str, object] | None) -> None:
        config = self._asked_for(websocket, session)
        record = self._calls.begin(bearer(websocket))
        record.begin(ufrag=call_name(websocket.headers.get(CALL_HEADER, "")), offer=b"")
        record.upgrade(websocket)
        websocket.scope[CALL_SCOPE] = record.id
        faults = await self._sharing.faults_of(record)
        try:
            response = await refused_on_purpose(websocket, faults)
        except ApiError as error:
            response = error.response()
        if response is not None:
            record.response(response, UPGRADE)
            self._calls.refuse(record, f"refused-{response.status_code}")
            await websocket.send_denial_response(response)
            return
        driver = self._calls.converse(record, config, "websocket", faults)
        if not record.ufrag:
            driver.overhear = MarkEar(record.marked).hear
        socket = Socket(websocket)
        driver.attach(send=socket.send, close=socket.close)
        midway = media_faults(faults)
        call = self._calls.adopt(record, driver, socket)
        try:
            await self._accept(websocket)
            for each in midway:
                each.connected(SocketControl(socket, websocket))
            record.add(HttpResponse(at=record.clock.now(), side="upstream", status=101, purpose=UPGRADE))
            driver.opened()
            await socket.run(Named(driver, record))
        finally:
            driver.stop()
            for each in midway:
                each.closed()
            if socket.closing is not None:
                code, reason = socket.closing
                record.add(
                    SocketClosed(
                        at=record.clock.now(),
                        side="upstream",
                        code=code,
                        reason=reason,
                        by="caller" if socket.was_left else "upstream",
                    )
                )
            self._calls.ended(call, socket.reason or "hang-up")

    def _asked_for(self, websocket: WebSocket, session: dict[str, object] | None) -> dict[str, object]:
        """The session to begin with: the key's, and what the URL says of it. Raises ApiError."""
        model = websocket.query_params.get("model")
        kind = websocket.query_params.get("intent") or (session or {}).get("type")
        if kind == TRANSCRIPTION:
            if model is not None:
                raise errors.model_of_transcription()
            return {"type": TRANSCRIPTION, **(session or {})}
        name = model or (session or {}).get("model")
        if not isinstance(name, str):
            raise errors.invalid_parameter("model", "You must provide a model.", "missing_model")
        if not is_azure(websocket):
            check_model(name, self._settings)
        return {"type": "realtime", **(session or {}), "model": name}

    async def _sideband(self, websocket: WebSocket, call_id: str) -> None:
        call = self._calls.find(call_id)
        if call is None or (self._settings.sideband_waits_for_media and not call.driver.is_open):
            raise errors.call_not_found(call_id)
        await self._accept(websocket)
        socket = Socket(websocket)
        call.driver.join(socket.send, socket.close)
        try:
            await socket.run(Aside(call.driver))
        finally:
            call.driver.leave(socket.send)

    async def _refuse_beta(self, websocket: WebSocket) -> None:
        """As reported: the upgrade succeeds, one error follows, then close 4000."""
        await self._accept(websocket)
        refused = errors.beta_disabled()
        error = {"type": refused.kind, "code": refused.code, "message": refused.message, "param": None}
        event = {"type": "error", "event_id": self._calls.new_id("event"), "error": error}
        await websocket.send_text(json.dumps(event))
        await websocket.close(BETA_REFUSED, "beta_api_shape_disabled")

    async def _accept(self, websocket: WebSocket) -> None:
        offered = websocket.scope.get("subprotocols", [])
        await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
