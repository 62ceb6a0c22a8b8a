"""Injected against measured, for each preset: `make calibration` writes the table of docs/impairments.md.

Two real transports over loopback, the caller's behind a link. Each end sends what a call sends, one packet
every 20 ms, stamped with its moment. What the link says that it did is held against what the other end counts
and times.
"""

from __future__ import annotations

import asyncio
import re
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from harness.core.clock import MonotonicClock
from harness.network.impairments import Impairment
from harness.network.link import Direction, Link
from harness.network.presets import PRESETS, preset
from harness.peer.receiver import AudioReceiver, rtp_payload
from harness.peer.transport import Transport
from tests.peer.pairs import connected_pair

PAGE = Path(__file__).parents[1] / "docs" / "impairments.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
SECONDS = 30.0
SEED = "calibration"
FRAME = 0.02
PAYLOAD = 80  # bytes: Opus at 32 kbit/s
SETTLE = 0.5  # longer than any delay of a preset
PRESET_NAMES = [name for name in PRESETS if name != "clear"]
CLOCK = MonotonicClock()


@dataclass
class Stream:
    """One direction: what was sent, and what arrived of it."""

    sent: int = 0
    delays: list[float] = field(default_factory=list)
    receiver: AudioReceiver = field(default_factory=AudioReceiver)

    def send(self, transport: Transport) -> None:
        stamp = struct.pack("!d", CLOCK.now()).ljust(PAYLOAD, b"\0")
        header = struct.pack("!BBHLL", 0x80, 111, self.sent & 0xFFFF, self.sent * 960, 7)
        if transport.send_rtp(header + stamp):
            self.sent += 1

    def arrived(self, packet: bytes, arrival: float) -> None:
        self.receiver.rtp(packet, arrival)
        (stamp,) = struct.unpack_from("!d", rtp_payload(packet) or b"")
        self.delays.append(arrival - stamp)


@dataclass(frozen=True)
class Calibration:
    """One direction of one preset. Losses in percent, delays in ms."""

    preset: str
    direction: Direction
    asked: Impairment
    injected_loss: float
    measured_loss: float
    injected_delay: float
    measured_delay: float
    packets: int

    def row(self) -> str:
        loss = f"{100 * self.asked.expected_loss:.1f} | {self.injected_loss:.2f} | {self.measured_loss:.2f}"
        delay = f"{self.asked.delay_ms:.0f} | {self.injected_delay:.1f} | {self.measured_delay:.1f}"
        return f"| {self.preset} | {self.direction} | {loss} | {delay} | {self.packets} |"


async def calibrate(names: Sequence[str], seconds: float) -> list[Calibration]:
    """All presets side by side."""
    found = await asyncio.gather(*(_calibrated(name, seconds) for name in names))
    return [each for both in found for each in both]


async def _calibrated(name: str, seconds: float) -> list[Calibration]:
    async with connected_pair() as (caller, callee, _channel):
        link = Link(f"{SEED}/{name}")
        link.impair(preset(name))
        caller.transport.put_behind(link)
        up, down = Stream(), Stream()
        callee.transport.on_rtp, caller.transport.on_rtp = up.arrived, down.arrived
        loop = asyncio.get_running_loop()
        began = loop.time()
        for frame in range(round(seconds / FRAME)):
            up.send(caller.transport)
            down.send(callee.transport)
            await asyncio.sleep(max(0.0, began + (frame + 1) * FRAME - loop.time()))
        await asyncio.sleep(SETTLE)
        conditions = preset(name)
        return [
            _held_against(name, "up", conditions.up, link, up),
            _held_against(name, "down", conditions.down, link, down),
        ]


def _held_against(
    name: str, direction: Direction, asked: Impairment, link: Link, stream: Stream
) -> Calibration:
    counted = link.counted(direction)
    assert stream.receiver.packets, f"nothing arrived over {name} {direction}"
    return Calibration(
        preset=name,
        direction=direction,
        asked=asked,
        injected_loss=100 * counted.lost / counted.packets,
        measured_loss=100 * (stream.sent - stream.receiver.packets) / stream.sent,
        injected_delay=counted.delay_ms,
        measured_delay=1000 * sum(stream.delays) / len(stream.delays),
        packets=stream.sent,
    )


def table(found: Sequence[Calibration]) -> str:
    """As Markdown, with the worst differences below."""
    head = (
        "| network | direction | loss asked % | injected % | measured % | delay asked ms | injected ms "
        "| measured ms | packets |\n|---|---|---|---|---|---|---|---|---|"
    )
    loss = max(abs(c.measured_loss - c.injected_loss) for c in found)
    delay = max(abs(c.measured_delay - c.injected_delay) for c in found)
    last = (
        f"Worst difference between injected and measured: {loss:.2f} points of loss, {delay:.1f} ms of delay."
    )
    return "\n".join([head, *(c.row() for c in found), "", last])


def main() -> int:
    """Measure for 30 s and write the page; 1 where it is out of bounds, and the page stays."""
    found = uvloop.run(calibrate(PRESET_NAMES, SECONDS))
    written = table(found)
    sys.stdout.write(written + "\n")
    if any(
        abs(c.measured_loss - c.injected_loss) > 1 or abs(c.measured_delay - c.injected_delay) > 10
        for c in found
    ):
        sys.stdout.write("out of bounds (1 point, 10 ms): was this machine busy?\n")
        return 1
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{written}\n{END}", page, flags=re.DOTALL),
        encoding="utf-8",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
