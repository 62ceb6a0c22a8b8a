"""A visit to a page: its own context in the browser, recorded from its first script to its end."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.browser.buttons import Button
from harness.browser.detour import Detour
from harness.browser.recording import PageRecording
from harness.browser.requests import PageRequests, failure_of, with_advice
from harness.browser.scripts import BINDING, MicrophoneSettings, recorder
from harness.core.audio import Samples
from harness.core.caller_end import Spoken, Wire
from harness.core.clock import RelativeClock
from harness.core.errors import HarnessError
from harness.core.events import (
    AnswerReceived,
    ButtonPressed,
    Event,
    HarnessFailed,
    HttpFailed,
    PageLeft,
    ScreenshotTaken,
    TextShown,
)
from harness.core.redaction import Redactor

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Dialog, Page

LOAD_SECONDS = 15.0
CLICK_SECONDS = 5.0
ANSWER_SECONDS = 3.0
CLOSE_SECONDS = 5.0
PICTURE_SECONDS = 3.0
MICROPHONE_POLL_SECONDS = 0.2
OWN_ORIGIN = "https://caller.invalid"  # secure, as microphones want it; nobody's, for ever (RFC 2606)
WIDTH, HEIGHT = 1000, 700


class PageGoneError(Exception):
    """The page, or the frame that has the call, is not there any more."""


class PageUnreachableError(Exception):
    """The page could not be loaded; the timeline says why."""


@dataclass(frozen=True)
class VisitParts:
    """What a visit is made with: where it records, and how the page finds its microphone and its state.

    `detour`: its packets go through our sockets, so that a network can be made bad. `silent_channel`: the
    data channel never opens.
    """

    record: Callable[[Event], None]
    clock: RelativeClock
    redactor: Redactor
    microphone: MicrophoneSettings = field(default_factory=MicrophoneSettings)
    language: str = ""
    storage_state: Path | None = None
    detour: bool = False
    silent_channel: bool = False


class PageVisit:
    """Open, press, speak, look, leave. Everything that happens is on the timeline by itself."""

    def __init__(self, parts: VisitParts) -> None:
        self._parts = parts
        self._secret = secrets.token_hex(12)
        self._context: BrowserContext | None = None
        self._has_broken = False
        self._pages: list[Page] = []
        self._detour: Detour | None = None
        self._wire: Wire | None = None
        self.ufrag = ""
        self.recording = PageRecording(parts.record, parts.clock, parts.redactor)
        self.requests = PageRequests(
            parts.record, parts.clock, parts.redactor, self._offered, self.recording.requested_at
        )
        self.recording.listen(self._recorded)

    @property
    def page(self) -> Page:
        """The newest page that is open: a call may be made in a window of its own."""
        if not self._pages:
            raise PageGoneError("the page was closed")
        return self._pages[-1]

    async def open(self, browser: Browser, url: str) -> None:
        """Load the page. Raises PageUnreachableError, with an HttpFailed on the timeline."""
        from playwright.async_api import Error

        await self.begin(browser)
        assert self._context is not None  # noqa: S101  (begun)
        page = await self._context.new_page()
        try:
            # Not until all is loaded: pages that poll or stream never are.
            response = await page.goto(url, wait_until="domcontentloaded", timeout=LOAD_SECONDS * 1000)
        except Error as error:
            said = str(error).splitlines()[0].removeprefix("Page.goto: ")
            failure = failure_of(said)
            failure = failure if failure in ("refused", "unresolved", "tls") else "unanswered"
            self._parts.record(HttpFailed(at=self._parts.clock.now(), failure=failure, detail=said))
            raise PageUnreachableError(with_advice(said)) from error
        if response is not None and response.status >= 400:
            await self.picture("no page")
            said = f"its server answers with status {response.status}"
            self._parts.record(HttpFailed(at=self._parts.clock.now(), failure="refused", detail=said))
            raise PageUnreachableError(said)

    async def open_own(self, browser: Browser, html: str) -> None:
        """Load a page of ours, from nowhere: no server has it, and no request leaves for it."""
        await self.begin(browser)
        assert self._context is not None  # noqa: S101  (begun)
        await self._context.route(
            f"{OWN_ORIGIN}/", lambda route: route.fulfill(body=html, content_type="text/html")
        )
        page = await self._context.new_page()
        await page.goto(f"{OWN_ORIGIN}/", timeout=LOAD_SECONDS * 1000)

    async def begin(self, browser: Browser) -> None:
        """A context of its own: nothing is shared with other visits, and nothing is kept."""
        context = await browser.new_context(
            permissions=["microphone"],
            locale=self._parts.language or None,
            storage_state=self._parts.storage_state,
            viewport={"width": WIDTH, "height": HEIGHT},
        )
        self._context = context
        browser.on("disconnected", self._browser_died)
        context.set_default_timeout(CLICK_SECONDS * 1000)
        context.on("page", self._page_opened)
        await context.expose_binding(BINDING, lambda _source, text: self.recording.tell(text))
        if self._parts.detour or self._parts.silent_channel:
            self._detour = Detour(silent_channel=self._parts.silent_channel)
        if self._detour is not None and self._wire is not None:
            self._detour.put_behind(self._wire)
        port = self._detour.port if self._detour else 0
        await context.add_init_script(recorder(self._secret, self._parts.microphone, detour=port))
        self.requests.watch(context)

    def _recorded(self, event: Event) -> None:
        if isinstance(event, AnswerReceived) and self._detour is not None:
            self._detour.towards(event.sdp)

    # --- its network ---

    def put_behind(self, wire: Wire) -> None:
        """Let a wire decide which of the browser's datagrams pass, and when."""
        self._takes_detour()
        self._wire = wire
        if self._detour is not None:
            self._detour.put_behind(wire)

    async def rebind(self) -> bool:
        """Let the browser's datagrams come from other ports; whether the far end answered there."""
        self._takes_detour()
        return await self._detour.rebind() if self._detour is not None else False

    def _takes_detour(self) -> None:
        if not self._parts.detour:
            raise HarnessError(
                "this call's packets do not go through the harness, so its network cannot be made bad",
                "declare the scenario with @scenario(bad_network=True)",
            )

    async def without_requests(self, *, cut: bool) -> None:
        """Let every request of the page fail as without a network, or no longer."""
        assert self._context is not None  # noqa: S101  (begun)
        if cut:
            await self._context.route("**/*", lambda route: route.abort("internetdisconnected"))
        else:
            await self._context.unroute_all(behavior="ignoreErrors")

    def _browser_died(self, _browser: Browser) -> None:
        """Before the visit was over: whatever the page does not do from then on is not its fault."""
        self._broken("Chromium ended by itself, or was killed: is there memory enough?")

    def _page_crashed(self, _page: Page) -> None:
        self._broken("the page's process in Chromium ended by itself, or was killed: is there memory enough?")

    def _broken(self, why: str) -> None:
        if not self._has_broken:
            self._has_broken = True
            self._parts.record(HarnessFailed(at=self._parts.clock.now(), error=why, where="the browser"))

    async def _see_that_it_answers(self, context: BrowserContext) -> None:
        """Not the page, whose script may run in a circle: the browser, and Playwright's driver before it."""
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await context.cookies()
        except (Error, TimeoutError):
            self._broken("the browser, or Playwright's driver, does not answer any more: was it killed?")

    def _page_opened(self, page: Page) -> None:
        self._pages.append(page)
        page.on("crash", self._page_crashed)
        page.on("close", lambda _: self._pages.remove(page) if page in self._pages else None)
        page.on("dialog", self._dialog)

    async def _dialog(self, dialog: Dialog) -> None:
        text = self._parts.redactor.text(dialog.message[:500])
        self._parts.record(TextShown(at=self._parts.clock.now(), text=text, dialog=True))
        # The page waits for it, and would wait for ever.
        await (dialog.accept() if dialog.type == "beforeunload" else dialog.dismiss())

    def _offered(self, ufrag: str) -> None:
        self.ufrag = self.ufrag or ufrag

    async def press(self, button: Button, what: str, *, times: int = 1) -> None:
        """Press as a person does: it must be visible, still, and not covered. Raises PageGoneError."""
        from playwright.async_api import Error

        pressed = ButtonPressed(
            at=self._parts.clock.now(),
            what=what,  # type: ignore[arg-type]  # a use of buttons.py
            selector=button.selector[:200],
            text=self._parts.redactor.text(button.text),
            found=button.found,
            times=times,
        )
        self._parts.record(pressed)
        try:
            await button.locator.click(click_count=times, timeout=CLICK_SECONDS * 1000)
        except Error as error:
            raise PageGoneError(f"{button.text!r} cannot be pressed: {str(error).splitlines()[0]}") from error

    async def say(self, samples: Samples) -> float:
        """Speak into the page's microphone; returns the moment on the timeline at which it begins.

        Raises PageGoneError where no page holds one.
        """
        pcm = base64.b64encode(samples.astype("<i2", copy=False).tobytes()).decode()
        answer = await self._ask("say", pcm)
        if not isinstance(answer, dict) or answer.get("failed"):
            raise PageGoneError(str((answer or {}).get("failed") or "the page holds no microphone"))
        return self.recording.moment(str(answer["document"]), float(answer["at"]))

    async def speak(
        self, clip: Spoken, on_started: Callable[[], None], on_ended: Callable[[bool], None]
    ) -> None:
        """Speak a clip to its end; where no page has a microphone, wait for one without end."""
        while True:
            try:
                begins = await self.say(clip.samples)
            except PageGoneError:
                await asyncio.sleep(MICROPHONE_POLL_SECONDS)
                continue
            break
        now = self._parts.clock.now
        await asyncio.sleep(begins - now())
        on_started()
        try:
            await asyncio.sleep(begins + clip.duration_ms / 1000 - now())
        except asyncio.CancelledError:
            on_ended(True)
            raise
        on_ended(False)

    async def go_back(self) -> None:
        """The browser's Back button: another document, or only what the page makes of it."""
        from playwright.async_api import Error

        with contextlib.suppress(Error, PageGoneError):
            url, before = self.page.url, await self._document()
            await self.page.go_back(timeout=CLICK_SECONDS * 1000, wait_until="commit")
            if (after := await self._document()) and before and after != before:
                # Its own last words may have gone with it.
                left = PageLeft(at=self._parts.clock.now(), url=self._parts.redactor.text(url[:2000]))
                self._parts.record(left)

    async def _document(self) -> float:
        """What tells one document from the next: when it began; 0 where it does not say."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                return float(await self.page.evaluate("performance.timeOrigin"))
        return 0.0

    async def hush(self) -> None:
        """Break off what is being said."""
        with contextlib.suppress(PageGoneError):
            await self._ask("hush")

    async def _ask(self, order: str, *arguments: Any) -> Any:
        """In the frame that has the microphone."""
        from playwright.async_api import Error

        script = (
            "([secret, order, values]) => { const it = globalThis[Symbol.for(secret)]; "
            "return it && it.hasMicrophone() ? it[order](...values) : null; }"
        )
        for page in reversed(self._pages):
            for frame in page.frames:
                # A page whose code runs in a circle answers nothing, ever.
                with contextlib.suppress(Error, TimeoutError):
                    async with asyncio.timeout(ANSWER_SECONDS):
                        answer = await frame.evaluate(script, [self._secret, order, list(arguments)])
                    if answer is not None:
                        return answer
        raise PageGoneError("the page holds no microphone")

    async def picture(self, why: str) -> None:
        """Take a screenshot, for the timeline. What cannot be taken is left out."""
        from playwright.async_api import Error

        with contextlib.suppress(Error, PageGoneError, TimeoutError):
            at = self._parts.clock.now()
            async with asyncio.timeout(PICTURE_SECONDS):
                image = await self.page.screenshot(
                    type="jpeg",
                    quality=60,
                    caret="initial",
                    mask=[self.page.locator("input[type=password]")],
                )
            self._parts.record(ScreenshotTaken(at=at, why=why, image=image))

    async def leave(self) -> None:
        """Close the page as somebody who closes the tab, and forget the context."""
        from playwright.async_api import Error

        context, self._context = self._context, None
        if context is None:
            return
        if context.browser is not None:
            context.browser.remove_listener("disconnected", self._browser_died)
        await self._see_that_it_answers(context)
        try:
            with contextlib.suppress(Error, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    for page in tuple(self._pages):
                        await page.close()
                    await self.requests.finish()
            self.recording.finish()
            with contextlib.suppress(Error, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await context.close()
        finally:
            if self._detour is not None:
                self._detour.close()  # after the browser's goodbye
