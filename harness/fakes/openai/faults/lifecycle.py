"""Calls that end badly, or not at all."""

from __future__ import annotations

import asyncio
import random

from harness.fakes.faults.registry import FaultValue
from harness.fakes.openai.media.hooks import MEDIA, CallControl, MediaFault

fault = MEDIA.fault


class Midway(MediaFault):
    """Acts so many seconds after the data channel opened."""

    def __init__(self, value: FaultValue, rng: random.Random) -> None:
        super().__init__(value, rng)
        self._timer: asyncio.TimerHandle | None = None

    def connected(self, call: CallControl) -> None:
        self._timer = asyncio.get_running_loop().call_later(float(self.value), self.act, call)

    def closed(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def act(self, call: CallControl) -> None:
        """What happens midway."""
        raise NotImplementedError


@fault(
    "channel-closed",
    "closes the data channel in mid-call",
    stage="lifecycle",
    default=2.0,
    value_help="seconds after it opened",
)
class ChannelClosed(Midway):
    def act(self, call: CallControl) -> None:
        call.close_channel()


@fault(
    "peer-gone",
    "is gone in mid-call without a goodbye",
    stage="lifecycle",
    default=2.0,
    value_help="seconds after the channel opened",
)
class PeerGone(Midway):
    def act(self, call: CallControl) -> None:
        call.end("peer-gone fault", goodbye=False)


@fault("call-leaked", "keeps a call, and its bill, running after the caller hung up", stage="lifecycle")
class CallLeaked(MediaFault):
    releases = False
