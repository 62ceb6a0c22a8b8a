"""Chromium as a caller's end: a browser's own offer, parser, jitter buffer and media, on a page of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from harness.browser.chromium import chromium
from harness.browser.visit import PageVisit, VisitParts
from harness.call.ends import EndParts, OpenEnd
from harness.config.ice import IceServer
from harness.config.run import RunSettings
from harness.core.caller_end import (
    ChannelClosedError,
    Exchange,
    MessageTooLongError,
    NotConnectedError,
    SdpUnusableError,
    Spoken,
    WhatIsHeard,
    Wire,
)
from harness.core.events import (
    AnswerRejected,
    CandidateFound,
    ClientEvent,
    ClockMatched,
    Event,
    HarnessFailed,
    OfferCreated,
    PairSelected,
    SendingStarted,
    ServerEvent,
    StateChanged,
    StatsTaken,
    StretchHeard,
)
from harness.core.sdp import parse_sdp

if TYPE_CHECKING:
    from playwright.async_api import Browser

# Of what the recorder tells, what is of the call; the page is ours, so that nothing else is of interest.
OF_THE_CALL = (
    CandidateFound
    | ClientEvent
    | ClockMatched
    | HarnessFailed
    | PairSelected
    | SendingStarted
    | ServerEvent
    | StateChanged
    | StatsTaken
    | StretchHeard
)
MEDIA_POLL_SECONDS = 0.02
SMALLEST_MAXIMUM = 65_536  # bytes of a message, where the answer names no maximum (RFC 8841, section 6.1)


@asynccontextmanager
async def chromium_calls(settings: RunSettings) -> AsyncIterator[OpenEnd]:
    """One browser for the calls of a run; each call has a context of its own in it."""
    del settings
    async with chromium() as browser:
        yield lambda parts: ChromiumEnd(parts, browser)


class ChromiumEnd:
    """A `CallerEnd` on a page that makes each step of a call when it is told to."""

    def __init__(self, parts: EndParts, browser: Browser) -> None:
        self._parts = parts
        self._browser = browser
        redactor = parts.settings.redactor()
        self._visit = PageVisit(VisitParts(self._record, parts.clock, redactor, detour=parts.bad_network))
        self._opened = self._closed = False
        self._sending = False
        self._orders: set[asyncio.Task[None]] = set()
        self._last_order = asyncio.Lock()  # what the page is told, it is told one after the other
        self._longest = SMALLEST_MAXIMUM
        self.channel_state = "connecting"
        self.offer = ""
        self.muted = False

    @property
    def ufrag(self) -> str:
        """Drawn by the browser: empty before there is an offer."""
        return parse_sdp(self.offer).ice_ufrag or ""

    @property
    def shape(self) -> str:
        return ""

    @property
    def heard(self) -> WhatIsHeard:
        return self._visit.recording.audio

    # --- the way there ---

    async def connect(self, exchange: Exchange) -> None:
        """The page makes its offer, `exchange` posts it, and the browser parses the answer."""
        answer = await exchange(await self.create_offer())
        try:
            await self._apply(answer)
        except Exception as error:
            raise SdpUnusableError(_first_line(error)) from error

    async def create_offer(self) -> str:
        """The browser's own offer; the page goes on gathering. Raises NotConnectedError."""
        if not self._opened:
            self._opened = True
            page = (files("harness.browser") / "scripts" / "own.html").read_text(encoding="utf-8")
            await self._visit.open_own(self._browser, page)
        target = self._parts.target
        configuration = {
            "iceServers": [_as_browsers_take_it(server) for server in target.ice_servers],
            "iceTransportPolicy": "relay" if target.relay_only else "all",
        }
        try:
            self.offer = str(await self._visit.page.evaluate("makeOffer", configuration))
        except Exception as error:
            raise NotConnectedError(f"Chromium made no offer: {_first_line(error)}") from error
        self._parts.record(OfferCreated(at=self._parts.clock.now(), sdp=self.offer))
        return self.offer

    def accept_answer(self, answer: str) -> None:
        """Give it to the browser, which refuses it later than this returns."""

        async def apply() -> None:
            try:
                await self._apply(answer)
            except Exception as error:
                rejected = AnswerRejected(at=self._parts.clock.now(), reason=_first_line(error))
                self._parts.record(rejected)

        self._order(apply())

    async def _apply(self, answer: str) -> None:
        section = parse_sdp(answer).section("application")
        told = section.attribute("max-message-size") if section else None
        if told and told.isdigit() and len(told) < 12:
            self._longest = int(told) or 1 << 40  # 0: of any size (RFC 8841, section 6)
        await self._visit.page.evaluate("takeAnswer", answer)

    # --- talking ---

    async def say(
        self, clip: Spoken, on_started: Callable[[], None], on_ended: Callable[[bool], None]
    ) -> None:
        """Speak into the page's microphone, once packets flow."""
        while not self._sending:  # noqa: ASYNC110  (the caller has the time-out)
            await asyncio.sleep(MEDIA_POLL_SECONDS)
        await self._visit.speak(clip, on_started, on_ended)

    def send(self, event: dict[str, Any]) -> None:
        """Send one client event, after those before it."""
        if self.channel_state != "open":
            raise ChannelClosedError(f"the data channel is {self.channel_state}")
        text = json.dumps(event)
        if len(text.encode()) > self._longest:
            raise MessageTooLongError(f"{len(text.encode())} bytes, {self._longest} are allowed")
        self._tell("sendEvent", text)

    def mute(self, *, muted: bool) -> None:
        self.muted = muted
        self._tell("setMuted", muted)

    def send_nothing(self, *, stopped: bool) -> None:
        self._tell("sendNothing", stopped)

    # --- the way back ---

    async def vanish(self) -> None:
        """Let the page's process crash: nothing of it says goodbye."""
        if self._opened and not self._closed:
            with suppress(Exception):
                session = await self._visit.page.context.new_cdp_session(self._visit.page)
                async with asyncio.timeout(1.0):
                    await session.send("Page.crash")
        await self.close()

    async def close(self) -> None:
        """Channel, connection, track, element; then the page."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._opened:
                await asyncio.gather(*self._orders, return_exceptions=True)
                with suppress(Exception):  # the page may be gone already
                    async with asyncio.timeout(2.0):
                        await self._visit.page.evaluate("hangUp()")
        finally:
            await self._visit.leave()

    # --- its network ---

    def put_behind(self, wire: Wire) -> None:
        self._visit.put_behind(wire)

    async def rebind(self) -> bool:
        return await self._visit.rebind()

    def _tell(self, order: str, value: object) -> None:
        async def tell() -> None:
            async with self._last_order:
                try:
                    await self._visit.page.evaluate(order, value)
                except Exception as error:
                    failed = HarnessFailed(at=self._parts.clock.now(), error=_first_line(error), where=order)
                    self._parts.record(failed)

        self._order(tell())

    def _order(self, order: Any) -> None:
        task = asyncio.ensure_future(order)
        self._orders.add(task)
        task.add_done_callback(self._orders.discard)

    def _record(self, event: Event) -> None:
        match event:
            case StateChanged(layer="channel", state=state):
                self.channel_state = state
            case SendingStarted():
                self._sending = True
        if isinstance(event, OF_THE_CALL):
            self._parts.record(event)


def _as_browsers_take_it(server: IceServer) -> dict[str, Any]:
    login = {"username": server.username, "credential": server.credential.get_secret_value()}
    return {"urls": list(server.urls)} | (login if server.username else {})


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].removeprefix("Page.evaluate: ") if str(error) else type(error).__name__
