"""What the record of a light call, as load makes them, holds in place of packets."""

from __future__ import annotations

from harness.core.event import Event


class StretchHeard(Event, frozen=True, kw_only=True):
    """A light timeline's record in place of packets: one stream from `at` to `until`, both arrivals.

    `audible`: sound without a pause; else what lies between such. `packets` came, `lost` did not; they carry
    `media_ms`. `jitter_ms` is RFC 3550's at its highest, `stall_ms` the longest wait beyond the sender's.
    """

    until: float
    ssrc: int
    audible: bool
    packets: int
    lost: int = 0
    media_ms: float = 0.0
    jitter_ms: float = 0.0
    stall_ms: float = 0.0
