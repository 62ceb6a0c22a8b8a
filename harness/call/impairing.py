"""The caller's verbs about its own network: every one is on the timeline, with its figures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from harness.call.host import Host
from harness.core.events import ImpairmentMeasured, NetworkImpaired
from harness.network.impairments import CLEAR, Impairment
from harness.network.presets import Conditions, preset

if TYPE_CHECKING:
    from harness.call.line import CallLine


class NetworkVerbs:
    """Verbs that a caller has beside those of a conversation. They act on its own sockets, on any target."""

    def __init__(self, caller: Host) -> None:
        self.caller = caller

    def impair(self, name: str = "", *, up: Impairment = CLEAR, down: Impairment = CLEAR) -> None:
        """From now on a named network (`train`; `clear` for none), or one made of its two directions."""
        self.caller.require("impair")
        conditions = preset(name) if name else Conditions("custom", up, down)
        self.caller.line.link.impair(conditions)
        self.caller.line.end.put_behind(self.caller.line.link)
        self.caller.line.record(
            NetworkImpaired(
                at=self.caller.line.now(),
                name=conditions.name,
                up=conditions.up.changed,
                down=conditions.down.changed,
            )
        )

    def blackout(self, seconds: float) -> None:
        """Lose everything either way for so long, from now on; returns at once."""
        self.caller.require("impair")
        self.caller.line.link.blackout(seconds)
        self.caller.line.end.put_behind(self.caller.line.link)
        self.caller.line.record(NetworkImpaired(at=self.caller.line.now(), name="blackout", seconds=seconds))

    async def blackout_during(self, doing: Awaitable[None], *, after: float, seconds: float) -> None:
        """A blackout that begins while something else is done."""
        task = asyncio.ensure_future(doing)
        try:
            self.caller.require("impair")
            timer = asyncio.get_running_loop().call_later(after, self.blackout, seconds)
        except BaseException:
            task.cancel()
            raise
        try:
            await task
        finally:
            timer.cancel()

    async def rebind(self) -> None:
        """Go on from a new local port, as a phone that changes network or a NAT that forgets."""
        self.caller.require("rebind")
        async with self.caller.step("rebind"):
            followed = await self.caller.line.end.rebind()
            self.caller.line.record(
                NetworkImpaired(at=self.caller.line.now(), name="rebind", followed=followed)
            )


def record_impairment(line: CallLine) -> None:
    """What was injected during the call that ends now, where anything was."""
    for direction in ("up", "down"):
        counted = line.link.counted(direction)
        if counted.packets:
            line.record(
                ImpairmentMeasured(
                    at=line.now(),
                    direction=direction,
                    packets=counted.packets,
                    lost=counted.lost,
                    duplicated=counted.duplicated,
                    reordered=counted.reordered,
                    delay_ms=round(counted.delay_ms, 3),
                )
            )
    line.link.count_anew()
