"""A caller's access to the network: what its sockets send and get goes through here once it is impaired.

One link serves the successive peers of one caller, as a phone's radio does. One timer holds every packet on
its way; nothing is spawned for a packet.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable
from typing import Literal

from harness.network.impairments import Counted, Path
from harness.network.presets import PRESETS, Conditions

Direction = Literal["up", "down"]
PassOn = Callable[[], object]


class Link:
    """Both directions, for one event loop. Without an impairment no peer need be put behind it."""

    def __init__(self, seed: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._rngs: dict[Direction, random.Random] = {
            "up": random.Random(f"{seed}/up"),  # noqa: S311  (replayable on purpose)
            "down": random.Random(f"{seed}/down"),  # noqa: S311  (as above)
        }
        self._counted: dict[Direction, Counted] = {"up": Counted(), "down": Counted()}
        self._paths: dict[Direction, Path] = {}
        self._under_way: list[tuple[float, int, Direction, PassOn]] = []
        self._number = 0  # keeps what comes out at the same moment in order
        self._timer: asyncio.TimerHandle | None = None
        self._dark_until = 0.0
        self.conditions = PRESETS["clear"]
        self.impair(self.conditions)

    def impair(self, conditions: Conditions) -> None:
        """From now on; what is under way arrives as it was going to."""
        self.conditions = conditions
        self._paths = {
            "up": Path(conditions.up, self._rngs["up"], self._counted["up"]),
            "down": Path(conditions.down, self._rngs["down"], self._counted["down"]),
        }

    def blackout(self, seconds: float) -> None:
        """Lose everything that is sent either way for so long."""
        self._dark_until = self._loop.time() + seconds

    @property
    def dark_for(self) -> float:
        """Seconds until the blackout ends; 0 where there is none."""
        return max(0.0, self._dark_until - self._loop.time())

    @property
    def in_use(self) -> bool:
        """Whether anything is done, or has been done, to packets."""
        return self.conditions is not PRESETS["clear"] or self._dark_until > 0

    def counted(self, direction: Direction) -> Counted:
        """What was done to packets since `count_anew`; those lost in a blackout are among them."""
        return self._counted[direction]

    def count_anew(self) -> None:
        """The caller's next call has figures of its own."""
        for direction, path in self._paths.items():
            self._counted[direction] = path.counted = Counted()

    def outgoing(self, size: int, pass_on: PassOn) -> None:
        """A datagram of ours sets out."""
        self._send("up", size, pass_on)

    def incoming(self, size: int, pass_on: PassOn) -> None:
        """A datagram for us has reached the far end of the link."""
        self._send("down", size, pass_on)

    def flush(self) -> None:
        """Our socket is about to close: what it has sent would still arrive, what it would get is lost."""
        leaving = sorted(packet for packet in self._under_way if packet[2] == "up")
        self._under_way.clear()
        self._arm()
        for *_, pass_on in leaving:
            pass_on()

    def close(self) -> None:
        """Drop what is under way; idempotent."""
        self._under_way.clear()
        self._arm()

    def _send(self, direction: Direction, size: int, pass_on: PassOn) -> None:
        now = self._loop.time()
        path = self._paths[direction]
        if now < self._dark_until:
            path.counted.packets += 1
            path.counted.lost += 1
            return
        for out in path.send(now, size):
            if out <= now:
                pass_on()
                continue
            self._number += 1
            heapq.heappush(self._under_way, (out, self._number, direction, pass_on))
            if self._under_way[0][1] == self._number:
                self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._under_way:
            self._timer = self._loop.call_at(self._under_way[0][0], self._deliver)

    def _deliver(self) -> None:
        now = self._loop.time()
        # The loop may call a timer by its clock's resolution too early.
        due = max(now, self._under_way[0][0] if self._under_way else now)
        while self._under_way and self._under_way[0][0] <= due:
            heapq.heappop(self._under_way)[3]()
        self._arm()
