"""What a caller's end is opened with, whatever its kind; `harness.call.kinds` has the openers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from harness.config.run import RunSettings
from harness.config.target import Target
from harness.core.caller_end import CallerEnd
from harness.core.clock import RelativeClock
from harness.core.events import Event


@dataclass(frozen=True)
class EndParts:
    """One call's: `record` redacts and puts on its timeline, `clock` is the timeline's.

    `light`: cheap, for load; no packets and no samples are kept. `shape` and `ufrag`: how its offer is
    written, and its name where it is not drawn; for kinds whose offer we write. `target` is the relay of this
    call. `bad_network`: its network will be made bad, so a browser's packets must be led through us.
    """

    call: str
    settings: RunSettings
    target: Target
    record: Callable[[Event], None]
    clock: RelativeClock
    light: bool = False
    shape: str = ""
    ufrag: str = ""
    bad_network: bool = False


OpenEnd = Callable[[EndParts], CallerEnd]
"""The end of one call; nothing is sent or started before its `connect`."""

BeginCalls = Callable[[RunSettings], AbstractAsyncContextManager[OpenEnd]]
"""What the calls of a run share (a browser), ready before the first, and left when all are over.

Raises HarnessError where it is not to be had.
"""
