"""What a browser plays of RTP that came as it did: a model of libwebrtc's NetEq, without its sound. No I/O.

One frame leaves every 20 ms. Where the next one has not come, something is concealed in its place; one that
comes late is still played, and all after it as much later. The delay that is aimed at follows what was lately
seen, as NetEq's does (`modules/audio_coding/neteq`: the 95th percentile of the relative delay's maxima over
half seconds; 80 ms until there are any), and is reached by playing faster or slower, which nobody hears.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.audio_format import FRAME_SAMPLES, FRAME_SECONDS
from harness.core.events import Packet
from harness.core.reception import unwrapped

START_DELAY = 0.08  # seconds, before anything is known
QUANTILE = 0.95
SPAN = 0.5  # seconds of which the longest delay counts
REMEMBERED = 60  # spans: half a minute
MINIMUM_WINDOW = 100  # packets, 2 s: the fastest of them is the one without a queue
SCALE_EVERY = 5  # frames: at most a fifth faster or slower


@dataclass(frozen=True)
class Frame:
    """20 ms of sound, from `at` on. `packet` None: concealed, for want of it."""

    at: float
    packet: Packet | None


def played(packets: Sequence[Packet]) -> list[Frame]:
    """From the first packet to the last, in order of time. Takes them in order of arrival."""
    if not packets:
        return []
    media = unwrapped([p.timestamp for p in packets], 32)
    arriving = deque((p.at, (m - media[0]) // FRAME_SAMPLES, p) for p, m in zip(packets, media, strict=True))
    buffer: dict[int, Packet] = {}
    aim = _Aim()
    expected, concealed, last_scaled, tick = arriving[0][1], 0, 0, 0
    found: list[Frame] = []
    while arriving or buffer:
        now = packets[0].at + tick * FRAME_SECONDS
        tick += 1
        while arriving and arriving[0][0] <= now:
            at, number, packet = arriving.popleft()
            aim.take(at, number)
            if number >= expected:
                buffer.setdefault(number, packet)
        may_scale = tick - last_scaled >= SCALE_EVERY
        waiting = len(buffer) * FRAME_SECONDS
        first = min(buffer, default=None)
        # What is missing has been concealed for as long as it would have lasted, or has come after all.
        if first is None or first - expected > concealed:
            concealed += 1
            found.append(Frame(now, None))
            continue
        if may_scale and arriving and waiting < 0.75 * aim.seconds:
            last_scaled = tick  # the frame before is stretched
            continue
        found.append(Frame(now, buffer.pop(first)))
        expected, concealed = first + 1, 0
        if may_scale and waiting > aim.seconds + FRAME_SECONDS and expected in buffer:
            last_scaled = tick  # this one and the next are pressed into one
            found.append(Frame(now, buffer.pop(expected)))
            expected += 1
    return found


class _Aim:
    """The delay that is aimed at."""

    def __init__(self) -> None:
        self._transit: deque[float] = deque(maxlen=MINIMUM_WINDOW)
        self._maxima: deque[float] = deque(maxlen=REMEMBERED)
        self._span_ends: float | None = None
        self._most = 0.0
        self.seconds = START_DELAY

    def take(self, at: float, number: int) -> None:
        """A packet with its arrival."""
        transit = at - number * FRAME_SECONDS
        self._transit.append(transit)
        self._most = max(self._most, transit - min(self._transit))
        if self._span_ends is None:
            self._span_ends = at + SPAN
        elif at >= self._span_ends:
            self._maxima.append(self._most)
            self._most, self._span_ends = 0.0, at + SPAN
            ordered = sorted(self._maxima)
            self.seconds = ordered[min(len(ordered) - 1, int(QUANTILE * len(ordered)))] + FRAME_SECONDS
