"""The only caller of `time`: everything else is handed a clock."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Protocol

AT_ONCE_SECONDS = 1e-4  # far more than it takes to read a clock, far less than a turn of another process
READINGS = 5

Date = date  # a day by the calendar: of what is announced, or of a call


class Clock(Protocol):
    """Seconds on a monotonic scale of unspecified origin."""

    def now(self) -> float: ...


class MonotonicClock:
    """One scale for all processes of a machine, so both ends of a local call compare.

    On Linux and macOS it is that of `time.monotonic`, which ticks every 16 ms on Windows (before 3.13).
    """

    now = staticmethod(time.perf_counter)  # no method of ours in between: every packet asks


class ManualClock:
    """A clock that a test moves by hand."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward; a clock that could go back would not be monotonic."""
        if seconds < 0:
            raise ValueError(f"a monotonic clock cannot go back by {-seconds} s")
        self._now += seconds


class RelativeClock:
    """Seconds since `origin` on another clock: the scale of one timeline."""

    def __init__(self, clock: Clock, origin: float | None = None) -> None:
        self._clock = clock
        self.origin = clock.now() if origin is None else origin

    def now(self) -> float:
        return self._clock.now() - self.origin


def wall_time() -> str:
    """The date and time in UTC, ISO 8601 with milliseconds: for people, never for measuring."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def seconds_of(written: str) -> float:
    """Seconds since 1970 of what `wall_time` wrote: to show a timeline's moments to people."""
    return datetime.fromisoformat(written).timestamp()


def monotonic_of_wall() -> float:
    """Seconds to add to wall time to get the monotonic clock's: for times that the kernel notes.

    The clocks are read one after the other, and what is interrupted in between is read again.
    """
    for _ in range(READINGS - 1):
        before, wall, after = time.perf_counter(), time.time(), time.perf_counter()
        if after - before < AT_ONCE_SECONDS:
            return before - wall
    return time.perf_counter() - time.time()


def unix_time() -> int:
    """Whole seconds since 1970: for wire fields such as `expires_at`."""
    return int(time.time())


def written_time(seconds: float) -> str:
    """A moment in seconds since 1970, in UTC, as people read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def local_minute() -> int:
    """The minute of the day on this machine's own clock, 0 to 1439."""
    now = datetime.now().astimezone()
    return 60 * now.hour + now.minute


def process_cpu_seconds() -> float:
    """CPU time that this process has used, user and system."""
    return time.process_time()
