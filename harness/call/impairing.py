"""The caller's verbs about its own network: every one is on the timeline, with its figures."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from harness.core.network_events import ImpairmentMeasured, NetworkImpaired
from harness.network.impairments import CLEAR, Impairment
from harness.network.presets import Conditions, preset

if TYPE_CHECKING:
    from harness.call.line import Line


class _Host(Protocol):
    line: Line

    def _step(self, name: str) -> AbstractAsyncContextManager[None]: ...


class NetworkVerbs:
    """Verbs that a caller has beside those of a conversation. They act on its own sockets, on any target."""

    def impair(self: _Host, name: str = "", *, up: Impairment = CLEAR, down: Impairment = CLEAR) -> None:
        """From now on a named network (`train`; `clear` for none), or one made of its two directions."""
        conditions = preset(name) if name else Conditions("custom", up, down)
        self.line.link.impair(conditions)
        self.line.peer.put_behind(self.line.link)
        self.line.record(
            NetworkImpaired(
                at=self.line.now(),
                name=conditions.name,
                up=conditions.up.changed,
                down=conditions.down.changed,
            )
        )

    def blackout(self: _Host, seconds: float) -> None:
        """Lose everything either way for so long, from now on; returns at once."""
        self.line.link.blackout(seconds)
        self.line.peer.put_behind(self.line.link)
        self.line.record(NetworkImpaired(at=self.line.now(), name="blackout", seconds=seconds))

    async def rebind(self: _Host) -> None:
        """Go on from a new local port, as a phone that changes network or a NAT that forgets."""
        async with self._step("rebind"):
            followed = await self.line.peer.rebind()
            self.line.record(NetworkImpaired(at=self.line.now(), name="rebind", followed=followed))


def record_impairment(line: Line) -> None:
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
