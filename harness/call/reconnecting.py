"""A caller whose call is lost, or about to be: noticing, cleaning up, and coming back with a new call."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from harness.call.host import Host
from harness.call.stopping import PlanStopped
from harness.core.clock import MonotonicClock
from harness.core.events import (
    CallEnded,
    CallLost,
    CallResumed,
    HerdCame,
    RelayRestarted,
    ServerEvent,
    StateChanged,
)
from harness.core.fields import field
from harness.core.probes import ICE_RESTART
from harness.core.sdp import parse_sdp
from harness.core.timeline import Timeline
from harness.signaling.exchange import post_offer
from harness.signaling.reoffers import with_new_ice

NOTICE_SECONDS = 45.0  # consent lasts 30 s (RFC 7675), and a busy machine adds to it
ATTEMPTS = 3
FIRST_BACKOFF_SECONDS = 0.5  # doubled after each attempt, half of it by chance

# States that end a call for its page. `closed` of ICE is our own doing.
SIGNS = {"ice": ("disconnected", "failed"), "dtls": ("failed", "closed"), "channel": ("closing", "closed")}


class Reconnecting:
    """Verbs about losing a call and having another. What needs the fake does nothing without it."""

    def __init__(self, caller: Host) -> None:
        self.caller = caller
        self._coming: tuple[str, Any] | None = None  # a fault for a call that has no name yet

    # --- losing it ---

    async def will_lose_call(self, fault: str, value: Any = None) -> bool:
        """Have the fake end this call by one of its faults; False where there is no fake to do it."""
        if self.caller.line.upstream is None:
            return False
        self.caller.require("be-named")
        if ufrag := self.caller.line.end.ufrag:
            await self.caller.line.upstream.plant(fault, ufrag, value)
        else:
            self._coming = fault, value
        return True

    async def named(self, offer: str) -> None:
        """The call has its name, by the offer that is about to go out (a browser draws it itself)."""
        if self._coming is None or self.caller.line.upstream is None:
            return
        (fault, value), self._coming = self._coming, None
        await self.caller.line.upstream.plant(fault, parse_sdp(offer).ice_ufrag or "", value)

    async def restart_relay(self) -> None:
        """Stop and start the relay, where it is one that may be (`@scenario(restarts_relay=True)`)."""
        if self.caller.line.restart_relay is None:
            return
        self.caller.require("outlast-relay")
        async with self.caller.step("restart the relay"):
            began = self.caller.line.now()
            await self.caller.line.restart_relay()
            self.caller.line.record(
                RelayRestarted(at=self.caller.line.now(), took=self.caller.line.now() - began)
            )

    async def restart_ice(self) -> None:
        """Offer anew with new ICE credentials, as `restartIce()` does; the answer is not applied."""
        self.caller.require("offer")
        offer = with_new_ice(self.caller.line.end.offer)
        async with self.caller.step("restart ICE"):
            await post_offer(self.caller.line.sender, self.caller.line.target, offer, purpose=ICE_RESTART)

    # --- coming back ---

    async def come_back(self) -> None:
        """Notice that the call is over, clean up, wait for the network, and make a new call."""
        async with self.caller.step("notice the loss"):
            await self.caller.until(
                lambda: sign_of_loss(self.caller.line.timeline) is not None, "a lost call", NOTICE_SECONDS
            )
            if (sign := sign_of_loss(self.caller.line.timeline)) is None:
                raise PlanStopped(f"nothing told in {NOTICE_SECONDS:g} s that the call is over")
        self.caller.line.record(CallLost(at=self.caller.line.now(), by=sign))
        await self.make_another_call()

    async def make_another_call(self) -> None:
        """Hang up what there is, and be connected again: with back-off, a few times."""
        if self.caller.call_again is None:
            raise PlanStopped("this caller has one call only")
        first = self.caller.line
        await self.caller.hang_up()
        first.record(CallEnded(at=first.now(), reason="hung up, to call again"))
        await asyncio.sleep(first.link.dark_for)  # `online` is what a page would wait for
        asked_at = first.now()
        chance = random.Random(f"{first.seed}/{first.call}")  # noqa: S311  (replayable on purpose)
        for attempt in range(1, ATTEMPTS + 1):
            line = self.caller.call_again(first)
            self.caller.take_up(line)
            failed = ""
            try:
                await self.caller.connect()
            except PlanStopped as stopped:
                failed = str(stopped)
            if not failed or attempt == ATTEMPTS:
                first.record(
                    CallResumed(
                        at=first.now(),
                        call=line.call,
                        ufrag=line.end.ufrag,
                        asked_at=asked_at,
                        attempts=attempt,
                        failed=failed,
                    )
                )
                break
            await self.caller.hang_up()
            line.record(CallEnded(at=line.now(), reason=failed))
            await asyncio.sleep(FIRST_BACKOFF_SECONDS * 2 ** (attempt - 1) * chance.uniform(0.5, 1))
        if failed:
            raise PlanStopped(f"no new call in {ATTEMPTS} attempts: {failed}")

    async def come_back_as_herd(self, callers: int, *, spread: float) -> None:
        """So many others connect at once, or each at its own moment within `spread` seconds; and hang up.

        Only where the fake stands upstream, since every one of them is a call that is billed.
        """
        if self.caller.line.upstream is None or self.caller.call_again is None:
            return
        chance = random.Random(f"{self.caller.line.seed}/{self.caller.line.call}")  # noqa: S311  (as above)
        others = [self.caller.call_again(None) for _ in range(callers)]
        self.caller.lines.extend(others)
        async with self.caller.step(f"{callers} callers come back within {spread:g} s"):
            found = await asyncio.gather(
                *(_comes(self.caller.another(line), spread * chance.random()) for line in others)
            )
        waits = tuple(round(wait, 4) for wait in found if isinstance(wait, float))
        refusals = tuple(why for why in found if isinstance(why, str))
        self.caller.line.record(
            HerdCame(
                at=self.caller.line.now(), callers=callers, spread=spread, waits=waits, refusals=refusals
            )
        )


async def _comes(caller: Host, delay: float) -> float | str:
    """Seconds from offer to session.created, or why there was none."""
    await asyncio.sleep(delay)
    clock = MonotonicClock()
    asked = clock.now()
    try:
        await caller.connect()
        return clock.now() - asked
    except PlanStopped as stopped:
        return str(stopped)
    finally:
        await caller.hang_up()
        caller.line.record(CallEnded(at=caller.line.now(), reason="one of a herd, and content"))


def sign_of_loss(timeline: Timeline) -> str | None:
    """What told the page that its call is over: a state, or the error that announces it."""
    for event in timeline:
        if event.side != "caller":
            continue
        if isinstance(event, StateChanged) and event.state in SIGNS.get(event.layer, ()):
            return f"{event.layer} {event.state}"
        if isinstance(event, ServerEvent) and field(event.event, "error", "code") == "session_expired":
            return "session_expired"
    return None
