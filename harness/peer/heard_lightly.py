"""What came in, lightly: stretches with their counters instead of packets, and next to nothing decoded.

For load, where a record of each packet costs more than receiving it. A packet is decoded to tell whether it
is audible, unless it is digital silence, or goes on with what is audible already.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.core.audio import AUDIBLE_DBFS, Samples, level_dbfs
from harness.core.audio_format import FRAME_SAMPLES, FRAME_SECONDS, RATE
from harness.core.clock import RelativeClock
from harness.core.events import Event, StretchHeard
from harness.peer.heard import Decode
from harness.peer.rtcp import StreamStatistics

# A CELT frame with its silence flag (RFC 6716, section 4.3), or what discontinuous transmission leaves.
LONGEST_SILENCE = 3  # bytes
PAUSE = 20  # packets, 400 ms: a shorter pause belongs to the speech around it
PROBED, PROBED_IN_PAUSE = 25, 8  # one packet in so many is decoded within an audible stretch
HALF_CIRCLE = 1 << 31  # of RTP timestamps, which wrap
EVENLY_APART = (
    2 * FRAME_SAMPLES
)  # timestamps further apart leave silence or loss between them, so no stall shows


class ReceivedAudioLight:
    """Records one call's received audio as `StretchHeard`. Times are those of the timeline.

    The end of a stretch is exact where digital silence follows, and else up to `PROBED` packets late.
    """

    def __init__(
        self, record: Callable[[Event], None], clock: RelativeClock, new_decoder: Callable[[], Decode]
    ) -> None:
        self._record = record
        self._origin = clock.origin
        self._new_decoder = new_decoder
        self._decode: Decode | None = None
        self._stretch: _Stretch | None = None
        self._quiet = 0  # packets since the last audible one of an audible stretch
        self._unprobed = 0
        self.last_audible = float("-inf")
        self.undecodable = 0

    def packet(
        self, arrival: float, _sequence: int, timestamp: int, payload: bytes, stream: StreamStatistics
    ) -> None:
        """Take one packet; its arrival is on the absolute clock."""
        at = arrival - self._origin
        stretch = self._stretch
        if stretch is None or stretch.stream is not stream:
            self._begin(at, timestamp, stream, audible=self._is_audible(payload))
        elif not stretch.audible:
            if self._is_audible(payload):
                self._begin(at, timestamp, stream, audible=True)
            else:
                stretch.add(at, timestamp)
        elif stretch.paused_until(timestamp):
            self._begin(at, timestamp, stream, audible=self._is_audible(payload))
        elif self._goes_on(payload):
            self._quiet = 0
            self.last_audible = at
            stretch.add(at, timestamp)
        else:
            self._quiet += 1
            if self._quiet > PAUSE:
                self._begin(at, timestamp, stream, audible=False)

    def flush(self) -> None:
        """Write the stretch gathered so far to the timeline."""
        stretch, self._stretch = self._stretch, None
        if stretch is not None:
            self._record(stretch.event())

    def samples(self) -> Samples:
        """None is kept."""
        return np.zeros(0, dtype=np.int16)

    def _begin(self, at: float, timestamp: int, stream: StreamStatistics, *, audible: bool) -> None:
        self.flush()
        self._quiet = self._unprobed = 0
        self._stretch = _Stretch(at, timestamp, stream, audible=audible)
        if audible:
            self.last_audible = at

    def _goes_on(self, payload: bytes) -> bool:
        """Whether an audible stretch is still audible: assumed, and looked at from time to time."""
        if len(payload) <= LONGEST_SILENCE:
            return False
        self._unprobed += 1
        if self._unprobed < (PROBED_IN_PAUSE if self._quiet else PROBED):
            return not self._quiet
        self._unprobed = 0
        return self._is_audible(payload)

    def _is_audible(self, payload: bytes) -> bool:
        if len(payload) <= LONGEST_SILENCE:
            return False
        if self._decode is None:
            self._decode = self._new_decoder()
        try:
            return level_dbfs(self._decode(payload)) >= AUDIBLE_DBFS
        except ValueError:
            self.undecodable += 1
            return False


class _Stretch:
    """Counters of one stretch while it lasts, taken from its stream's."""

    __slots__ = (
        "_arrival",
        "_begun",
        "_highest",
        "_jitter",
        "_received",
        "_stall",
        "_started",
        "_timestamp",
        "audible",
        "stream",
    )

    def __init__(self, at: float, timestamp: int, stream: StreamStatistics, *, audible: bool) -> None:
        self.stream = stream
        self.audible = audible
        self._started = (at, stream.received - 1, stream.highest - 1)
        self._begun = timestamp
        self._arrival, self._timestamp = at, timestamp
        self._received, self._highest = stream.received, stream.highest
        self._jitter, self._stall = stream.jitter, 0.0

    def add(self, at: float, timestamp: int) -> None:
        """Go on to a packet that its stream has counted already."""
        stream = self.stream
        apart = timestamp - self._timestamp
        if 0 < apart <= EVENLY_APART:
            stall = at - self._arrival - apart / RATE
            if stall > self._stall:
                self._stall = stall
        elif self.audible and stream.highest - self._highest == 1:
            # Nothing was silent or lost between two audible packets in a row: their gap is a stall too.
            self._stall = max(self._stall, at - self._arrival - FRAME_SECONDS)
        if stream.jitter > self._jitter:
            self._jitter = stream.jitter
        self._arrival, self._timestamp = at, timestamp
        self._received, self._highest = stream.received, stream.highest

    def paused_until(self, timestamp: int) -> bool:
        """Whether the sender left out a pause, as discontinuous transmission does: nothing is missing."""
        apart = timestamp - self._timestamp
        return apart > (PAUSE + 1) * FRAME_SAMPLES and self.stream.highest - self._highest == 1

    def event(self) -> StretchHeard:
        first, received, highest = self._started
        packets = self._received - received
        media = (self._timestamp - self._begun + HALF_CIRCLE) % (2 * HALF_CIRCLE) - HALF_CIRCLE
        return StretchHeard(
            at=first,
            until=self._arrival,
            ssrc=self.stream.ssrc,
            audible=self.audible,
            packets=packets,
            lost=max(0, self._highest - highest - packets),
            media_ms=round(1000 * media / RATE, 3),
            jitter_ms=round(1000 * self._jitter / RATE, 3),
            stall_ms=round(1000 * self._stall, 3),
        )
