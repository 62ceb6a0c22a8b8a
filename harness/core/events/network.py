"""What a caller does to its own network, what becomes of its call, and how it comes back.

A caller that lost its call makes a new one, which has a timeline of its own: its CallStarted says what it
`continues`. What lies between the two is on the timeline of the first.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from harness.core.events.base import Event


class NetworkImpaired(Event, frozen=True, kw_only=True):
    """From now on the caller's network misbehaves on purpose.

    `name`: a preset (`train`; `clear` ends it), `custom`, `blackout` for `seconds`, or `rebind`. `up` and
    `down`: the parameters that differ from a clear path. `followed`: the other end answered at the new port.
    """

    name: str
    up: dict[str, float] = msgspec.field(default_factory=dict)
    down: dict[str, float] = msgspec.field(default_factory=dict)
    seconds: float = 0.0
    followed: bool = True


class ImpairmentMeasured(Event, frozen=True, kw_only=True):
    """What was done on purpose to the call's datagrams of one direction, of every kind; mean delay in ms."""

    direction: Literal["up", "down"]
    packets: int
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    delay_ms: float = 0.0


class CallLost(Event, frozen=True, kw_only=True):
    """The caller noticed that its call is over: `by` which sign (`ice failed`, `channel closed`, …)."""

    by: str


class CallResumed(Event, frozen=True, kw_only=True):
    """The caller has a new call in place of this one, at its session.created; or gave up: `failed` says why.

    `asked_at`: when the first attempt began, the network being there. `attempts` includes the one that held.
    """

    call: str
    ufrag: str
    asked_at: float
    attempts: int = 1
    failed: str = ""


class HerdCame(Event, frozen=True, kw_only=True):
    """So many callers came back within `spread` seconds; 0 is all at once.

    `waits`: seconds from each one's offer to its session.created, of those that were served. `refusals`: what
    the others met.
    """

    callers: int
    spread: float
    waits: tuple[float, ...] = ()
    refusals: tuple[str, ...] = ()


class RelayRestarted(Event, frozen=True, kw_only=True):
    """The relay was stopped and started again, on purpose; it serves again at `at`, `took` seconds later."""

    took: float
