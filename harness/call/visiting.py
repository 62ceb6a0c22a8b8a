"""The verbs of a web page's user beyond an ordinary call, and of what may befall the page meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.call.host import Host
from harness.call.page_end import PageEnd
from harness.config.page import MicrophoneMood
from harness.core.errors import HarnessError
from harness.core.events import ChannelSilenced, NetworkImpaired, StateChanged, UserLeft

DISCONNECTED_SECONDS = 3.0  # that a call survives
BROWSER_NOTICES_SECONDS = 15.0  # from a dark network to `disconnected`: Chromium takes 5 to 8
LOST_SECONDS = 20.0  # of `disconnected`, without `failed` (which Chromium may take a minute to say)
ACTS_SECONDS = 4.5  # in which a page says that its call is lost
RENEWS_SECONDS = 10.0  # from a network that is back to a call that is made anew
RECOVERS_SECONDS = 6.0
RELEASES_SECONDS = 3.0


class PageVerbs:
    """How its microphone, its button and its channel will be, before `connect`; what befalls it, after."""

    def __init__(self, caller: Host) -> None:
        self.caller = caller

    # --- before the call ---

    def has_microphone(self, mood: MicrophoneMood) -> None:
        """Denied, missing, or slow to come."""
        self._prepare(microphone=mood)

    def is_clicked_twice(self) -> None:
        """Its button is hit by a double click."""
        self._prepare(clicks=2)

    def has_silent_channel(self) -> None:
        """Everything connects, and the data channel does not open."""
        self._prepare(silent_channel=True)
        self.caller.line.record(ChannelSilenced(at=self.caller.line.now()))

    # --- while it lasts ---

    async def is_disconnected(self, seconds: float = DISCONNECTED_SECONDS) -> None:
        """Nothing gets through until the browser has been `disconnected` for so long; then all does."""
        end = self._end()
        async with self.caller.step(f"be disconnected for {seconds:g} s"):
            self._go_dark(BROWSER_NOTICES_SECONDS + seconds)
            try:
                if await self._comes(self._is_disconnected, BROWSER_NOTICES_SECONDS):
                    await asyncio.sleep(seconds)
            finally:
                self._light_again()
            await self._comes(lambda: self._is_back() or end.released, RECOVERS_SECONDS)
            await end.visit.picture("after 3 s without a network")

    async def loses_network(self) -> None:
        """The network is gone until the browser gives the connection up, and the page had time to act."""
        end = self._end()
        async with self.caller.step("lose the network"):
            await end.visit.without_requests(cut=True)
            self._go_dark(BROWSER_NOTICES_SECONDS + LOST_SECONDS + ACTS_SECONDS)
            try:
                await self._comes(self._is_disconnected, BROWSER_NOTICES_SECONDS)
                if await self._comes(lambda: self._has_failed() or end.released, LOST_SECONDS):
                    await asyncio.sleep(ACTS_SECONDS)
                await end.visit.picture("the network is lost")
            finally:
                self._light_again()
                await end.visit.without_requests(cut=False)
            await self._comes(self._is_back, RENEWS_SECONDS)
            await end.visit.picture("the network is back")

    async def goes_back(self) -> None:
        """The browser's Back button, in mid-call; nobody presses stop."""
        end = self._end()
        async with self.caller.step("go back"):
            self.caller.line.record(UserLeft(at=self.caller.line.now(), how="back"))
            end.stops = False
            await end.visit.go_back()
            await self._comes(lambda: end.released, RELEASES_SECONDS)
            await end.visit.picture("gone back")

    async def closes_tab(self) -> None:
        """The tab is closed in mid-call; nobody presses stop."""
        self._end().stops = False
        self.caller.line.record(UserLeft(at=self.caller.line.now(), how="tab closed"))
        await self.caller.hang_up()

    # --- what these are made of ---

    def _end(self) -> PageEnd:
        self.caller.require("visit")
        end = self.caller.line.end
        if not isinstance(end, PageEnd):
            raise HarnessError(f"a {self.caller.line.kind.name} caller has no page")
        return end

    def _prepare(
        self, *, microphone: MicrophoneMood | None = None, clicks: int = 0, silent_channel: bool = False
    ) -> None:
        end = self._end()
        end.prepare(
            microphone=microphone or end.options.microphone,
            clicks=clicks or end.options.clicks,
            silent_channel=silent_channel,
        )

    def _go_dark(self, seconds: float) -> None:
        line = self.caller.line
        line.link.blackout(seconds)
        line.end.put_behind(line.link)
        line.record(NetworkImpaired(at=line.now(), name="blackout", seconds=seconds))

    def _light_again(self) -> None:
        line = self.caller.line
        line.link.blackout(0.0)
        line.record(NetworkImpaired(at=line.now(), name="clear"))

    async def _comes(self, holds: Callable[[], bool], within: float) -> bool:
        try:
            async with asyncio.timeout(within):
                while not holds():  # noqa: ASYNC110  (several conditions, looked at while a page has its time)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            return False
        return True

    def _ice(self) -> str:
        told = self.caller.line.timeline.last(StateChanged, where=lambda e: e.layer == "ice")
        return told.state if told else ""

    def _is_disconnected(self) -> bool:
        return self._ice() in ("disconnected", "failed", "closed")

    def _has_failed(self) -> bool:
        return self.caller.line.timeline.state("ice", "failed") is not None

    def _is_back(self) -> bool:
        """Connected, with an open channel, since the network is."""
        timeline = self.caller.line.timeline
        clear = timeline.last(NetworkImpaired, where=lambda e: e.name == "clear")
        if clear is None or self._ice() != "connected":
            return False
        connected = timeline.last(StateChanged, where=lambda e: e.layer == "ice")
        channel = timeline.last(StateChanged, where=lambda e: e.layer == "channel")
        return connected is not None and channel is not None and channel.state == "open"
