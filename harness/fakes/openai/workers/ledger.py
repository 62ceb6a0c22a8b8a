"""What the front remembers of a worker's calls: enough to say which were lost, should the worker die."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from harness.core.events import CallEnded
from harness.core.timeline import event_to_builtins

LOST = "worker-lost"

CallJson = dict[str, Any]


class Ledger:
    """Calls as `CallRecord.as_json`: those that live, and the latest that have ended."""

    def __init__(self, keep_ended: int) -> None:
        self._keep = keep_ended
        self._live: dict[str, CallJson] = {}
        self._ended: OrderedDict[str, CallJson] = OrderedDict()

    @property
    def live(self) -> int:
        """How many calls live."""
        return len(self._live)

    def begun(self, call: CallJson) -> None:
        """A call as it began, with its request."""
        self._live[call["id"]] = call

    def ended(self, call: CallJson) -> None:
        """A call as it ended; of its events only the first are known here, and that it ended."""
        began = self._live.pop(call["id"], {})
        after = call["ended_at"] - call["started_at"]
        over = event_to_builtins(CallEnded(at=after, side="upstream", reason=call["reason"]))
        self._ended[call["id"]] = {**call, "events": [*began.get("events", ()), over]}
        while len(self._ended) > self._keep:
            self._ended.popitem(last=False)

    def all_lost(self, now: float) -> None:
        """The worker is gone, and its live calls with it."""
        for call in list(self._live.values()):
            self.ended({**call, "state": "ended", "reason": LOST, "ended_at": now})

    def forget_ended(self) -> None:
        """All that are over."""
        self._ended.clear()

    def show(self, *, events: bool) -> list[CallJson]:
        """All calls."""
        calls = [*self._ended.values(), *self._live.values()]
        return calls if events else [{k: v for k, v in call.items() if k != "events"} for call in calls]
