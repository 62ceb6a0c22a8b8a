"""A web page as a caller's end: its button is pressed, it is spoken to, and left by its own button."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from harness.browser.buttons import NoButtonError, described, named_button, obvious_button
from harness.browser.chromium import chromium
from harness.browser.scripts import MICROPHONES
from harness.browser.visit import PageGoneError, PageUnreachableError, PageVisit, VisitParts
from harness.call.ends import EndParts, OpenEnd
from harness.config.page import MicrophoneMood, PageOptions
from harness.config.run import RunSettings
from harness.core.caller_end import Exchange, NotConnectedError, Spoken, WhatIsHeard, Wire
from harness.core.errors import HarnessError, UsageError
from harness.core.events import (
    AnswerReceived,
    ConnectionUsed,
    Event,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    MicrophoneAsked,
    MicrophoneGiven,
    MicrophoneRefused,
    SendingStarted,
    StateChanged,
    TrackChanged,
)
from harness.core.probes import OFFER

if TYPE_CHECKING:
    from playwright.async_api import Browser

REFERENCE_PAGE = "/page/"  # of the embedded relay, on its own origin
BUTTON_SECONDS = 6.0  # for a button to be there
FOUND_SECONDS = 3.0  # for one that nobody named
NEXT_SECONDS = 1.5  # without a sign of a call, before a further button is looked for
MOST_BUTTONS = 3  # that are found and pressed on the way to a call
SIGN_SECONDS = 6.0  # from one sign of a call to the next, before the page is given up
TOLD_SECONDS = 3.2  # in which a page says that it has no microphone
RELEASE_SECONDS = 2.2  # in which a page lets go of everything
SENDING_SECONDS = 1.5  # from the open channel to the first packet


@asynccontextmanager
async def pages(settings: RunSettings) -> AsyncIterator[OpenEnd]:
    """One browser for the calls of a run; each call has a context of its own in it."""
    del settings
    async with chromium() as browser:
        yield lambda parts: PageEnd(parts, browser)


class PageEnd:
    """A `CallerEnd` on a `PageVisit`. What is asked of a page here is what its user can ask of it."""

    def __init__(self, parts: EndParts, browser: Browser) -> None:
        self._parts = parts
        self._browser = browser
        self._options = parts.settings.page
        self._progress = _Progress()
        self._silent_channel = False
        self._wire: Wire | None = None
        self._opened = self._closed = False
        self.stops = True  # by its button; else its user leaves without it
        self._visit = self._new_visit()

    def _new_visit(self) -> PageVisit:
        return PageVisit(
            VisitParts(
                record=self._record,
                clock=self._parts.clock,
                redactor=self._parts.settings.redactor(),
                microphone=MICROPHONES[self._options.microphone],
                language=self._options.language,
                storage_state=self._options.storage_state,
                detour=self._parts.bad_network,
                silent_channel=self._silent_channel,
            )
        )

    # --- what is known of it ---

    @property
    def ufrag(self) -> str:
        return ""  # the page draws it; see `core.naming`

    @property
    def offer(self) -> str:
        return ""

    @property
    def shape(self) -> str:
        return ""

    @property
    def channel_state(self) -> str:
        return self._progress.channel

    @property
    def heard(self) -> WhatIsHeard:
        return self._visit.recording.audio

    @property
    def muted(self) -> bool:
        return not any(self._progress.microphones.values())

    # --- the call ---

    async def connect(self, exchange: Exchange) -> None:
        """Open the page, press its buttons, and see it make its offer and take an answer."""
        del exchange  # the page posts its offer itself
        self._opened = True
        url = self._url()
        try:
            await self._visit.open(self._browser, url)
            await self._press_start()
        except PageUnreachableError as error:
            raise NotConnectedError(f"the page cannot be loaded: {error}") from error
        except PageGoneError as error:
            await self._visit.picture("button not pressed")
            raise NotConnectedError(str(error)) from error
        except UsageError as error:
            await self._visit.picture("no button")
            raise NotConnectedError(str(error)) from error
        await self._until_answered()

    def _url(self) -> str:
        target = self._parts.target
        if self._options.url:
            return urljoin(target.url, self._options.url)
        return urljoin(target.url, REFERENCE_PAGE) if self._parts.settings.embedded else target.url

    async def _press_start(self) -> None:
        for number, selector in enumerate(self._options.start, start=1):
            button = await named_button(self._visit.page, selector, BUTTON_SECONDS)
            if number == 1:
                await self._visit.picture("opened")
            clicks = self._options.clicks if number == len(self._options.start) else 1
            await self._visit.press(button, "start", times=clicks)
        if not self._options.start:
            await self._find_start()

    async def _find_start(self) -> None:
        """Press what is obvious, and what is then obvious in turn: a dialog has its own button."""
        tried: set[str] = set()
        for _ in range(MOST_BUTTONS):
            button = await obvious_button(self._visit.page, "start", 0.0 if tried else FOUND_SECONDS)
            if button is None or button.text in tried:
                break
            if not tried:
                await self._visit.picture("opened")
            tried.add(button.text)
            await self._visit.press(button, "start", times=self._options.clicks)
            if await self._progress.sign(NEXT_SECONDS):
                return
        if not tried:
            seen = await described(self._visit.page)
            raise NoButtonError(
                f"no button of the page is the obvious one that starts a call{seen}",
                "name it with --start, as Playwright selects: --start 'text=Start call'",
            )

    async def _until_answered(self) -> None:
        progress = self._progress
        while not progress.answered:
            if progress.refused:
                await asyncio.sleep(TOLD_SECONDS)
                await self._visit.picture("microphone refused")
                raise NotConnectedError(f"the page was refused the microphone: {progress.refused}")
            if progress.failed:
                await self._visit.picture("no answer")
                raise NotConnectedError(progress.failed)
            within = self._parts.settings.timeouts.answer if progress.offered else SIGN_SECONDS
            if not await progress.sign(within):
                await self._visit.picture("nothing happens")
                raise NotConnectedError(f"the page {progress.stuck} within {within:g} s")

    async def say(
        self, clip: Spoken, on_started: Callable[[], None], on_ended: Callable[[bool], None]
    ) -> None:
        """Speak into the page's microphone, once packets flow; a page without one is waited for in vain."""
        await self._progress.until(lambda p: p.sending, SENDING_SECONDS)
        await self._visit.speak(clip, on_started, on_ended)

    async def close(self) -> None:
        """Press stop, see what the page lets go of, and close it."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._progress.began and self.stops:
                await self._visit.picture("before the end")
                await self._press_stop()
        finally:
            await self._visit.leave()

    async def _press_stop(self) -> None:
        try:
            if self._options.stop:
                button = await named_button(self._visit.page, self._options.stop, FOUND_SECONDS)
            else:
                found = await obvious_button(self._visit.page, "stop", 0.0)
                if found is None:
                    return  # closing the page is all that its user can do
                button = found
            await self._visit.press(button, "stop")
        except (PageGoneError, NoButtonError):
            await self._visit.picture("not stopped")
            return
        await self._progress.until(lambda p: p.released, RELEASE_SECONDS)
        await self._visit.picture("after the end")

    # --- what its user, and the world around it, may do (`harness.call.visiting`) ---

    def prepare(self, *, microphone: MicrophoneMood, clicks: int, silent_channel: bool) -> None:
        """How its microphone, its button and its channel will be in this call; before `connect` alone."""
        if self._opened:
            raise HarnessError("the page is open already", "prepare it before connect()")
        self._options = replace(self._options, microphone=microphone, clicks=clicks)
        self._silent_channel = silent_channel
        self._visit = self._new_visit()
        if self._wire is not None:
            self._visit.put_behind(self._wire)

    @property
    def options(self) -> PageOptions:
        return self._options

    @property
    def visit(self) -> PageVisit:
        return self._visit

    @property
    def released(self) -> bool:
        """Whether no connection is open and no microphone in use."""
        return self._progress.released

    def put_behind(self, wire: Wire) -> None:
        self._visit.put_behind(wire)
        self._wire = wire

    async def rebind(self) -> bool:
        return await self._visit.rebind()

    # --- what only the page can do ---

    def send(self, event: dict[str, Any]) -> None:
        raise NotImplementedError

    def mute(self, *, muted: bool) -> None:
        raise NotImplementedError

    def send_nothing(self, *, stopped: bool) -> None:
        raise NotImplementedError

    async def create_offer(self) -> str:
        raise NotImplementedError

    def accept_answer(self, answer: str) -> None:
        raise NotImplementedError

    async def vanish(self) -> None:
        raise NotImplementedError

    def _record(self, event: Event) -> None:
        self._parts.record(event)
        self._progress.see(event)


class _Progress:
    """How far the page has come, by the events of its call."""

    def __init__(self) -> None:
        self.channel = "connecting"
        self.microphones: dict[str, bool] = {}  # track → whether it is live and enabled
        self.asked = self.offered = self.answered = self.sending = False
        self.made = False
        self.refused = ""
        self.failed = ""
        self._connection_open = False
        self._live: set[str] = set()
        self._changed = asyncio.Event()

    @property
    def began(self) -> bool:
        """Whether there is anything to stop."""
        return self.asked or self.made

    @property
    def released(self) -> bool:
        return not self._live and not self._connection_open

    @property
    def stuck(self) -> str:
        """What it did not come to."""
        if self.offered:
            return "had no answer to its offer"
        if self.made:
            return "sent its offer to nobody"
        return "made no offer" if self.asked else "neither asked for the microphone nor made an offer"

    async def sign(self, within: float) -> bool:
        """Whether the page makes progress in that time."""
        self._changed.clear()
        try:
            async with asyncio.timeout(within):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def until(self, holds: Callable[[_Progress], object], within: float) -> bool:
        """Whether it comes to hold in that time."""
        try:
            async with asyncio.timeout(within):
                while not holds(self):  # noqa: ASYNC110  (several conditions, one short wait)
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return False
        return True

    def see(self, event: Event) -> None:
        """Take one event of the timeline."""
        match event:
            case MicrophoneAsked():
                self.asked = True
            case MicrophoneGiven(track=track):
                self.microphones[track] = True
                self._live.add(track)
            case MicrophoneRefused(error=error):
                self.refused = error
            case TrackChanged(received=False, track=track):
                self.microphones[track] = event.enabled and not event.ended
                if event.ended:
                    self._live.discard(track)
            case ConnectionUsed(method="setLocalDescription"):
                self.made = self._connection_open = True
            case ConnectionUsed(method="close"):
                self._connection_open = False
            case HttpRequest(purpose="offer"):
                self.offered = True
            case HttpResponse() if event.purpose == OFFER and event.status >= 400:
                self.failed = f"the page's offer was answered with status {event.status}"
            case HttpFailed() if event.purpose == OFFER:
                self.failed = f"the page's offer was not answered: {event.detail or event.failure}"
            case AnswerReceived():
                self.answered = True
            case SendingStarted():
                self.sending = True
            case StateChanged(layer="channel", state=state):
                self.channel = state
            case _:
                return
        self._changed.set()
