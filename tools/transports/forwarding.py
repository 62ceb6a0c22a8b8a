"""What lies between two machines: each IP packet crosses when, and if, the link model says so.

Below TCP and UDP alike, so that both ways of a call suffer the same network, acknowledgements and
retransmissions included.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from harness.network.link import Direction, Link
from harness.network.presets import Conditions

LARGEST_PACKET = 65_535  # bytes


@dataclass
class Crossing:
    """What one direction was given: IP packets and their bytes, headers included, lost ones too."""

    packets: int = 0
    bytes: int = 0


class Forwarder:
    """Joins two TUN devices, `near` (the caller's) and `far`; `up` is what the caller sends."""

    def __init__(self, near: int, far: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._near, self._far = near, far
        self._ends: dict[Direction, tuple[int, int]] = {"up": (near, far), "down": (far, near)}
        self.link = Link("idle")
        self.crossed: dict[Direction, Crossing] = {"up": Crossing(), "down": Crossing()}
        for direction, (source, _) in self._ends.items():
            self._loop.add_reader(source, self._readable, direction)

    def begin(self, conditions: Conditions, seed: str) -> None:
        """Another network from now on, with counts of its own; what is under way is dropped."""
        self.link.close()
        self.link = Link(seed)
        self.link.impair(conditions)
        self.crossed = {"up": Crossing(), "down": Crossing()}

    def close(self) -> None:
        """Forward nothing more."""
        for source, _ in self._ends.values():
            self._loop.remove_reader(source)
        self.link.close()

    def _readable(self, direction: Direction) -> None:
        source, sink = self._ends[direction]
        enter: Callable[[int, Callable[[], object]], None] = (
            self.link.outgoing if direction == "up" else self.link.incoming
        )
        crossing = self.crossed[direction]
        while True:
            try:
                packet = os.read(source, LARGEST_PACKET)
            except BlockingIOError:
                return
            except OSError:  # the interface is going down
                return
            crossing.packets += 1
            crossing.bytes += len(packet)
            enter(len(packet), partial(_write, sink, packet))


def _write(sink: int, packet: bytes) -> None:
    try:
        os.write(sink, packet)
    except OSError:  # a full queue or an interface that is going down: lost, as on any wire
        return
