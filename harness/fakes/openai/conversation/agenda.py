"""What is to happen later, in order of time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

Action = Callable[[], None]


class Appointment:
    """An action at a time; can be cancelled."""

    __slots__ = ("action", "at")

    def __init__(self, at: float, action: Action) -> None:
        self.at = at
        self.action: Action | None = action

    def cancel(self) -> None:
        """It will not happen; harmless afterwards."""
        self.action = None


class Agenda:
    """Appointments of one conversation; those of the same time keep the order in which they were made."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Appointment]] = []
        self._order = itertools.count()

    def add(self, at: float, action: Action) -> Appointment:
        """Do `action` at the time `at`."""
        appointment = Appointment(at, action)
        heapq.heappush(self._heap, (at, next(self._order), appointment))
        return appointment

    def next_deadline(self) -> float | None:
        """When something is next to happen."""
        while self._heap and self._heap[0][2].action is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: float) -> Appointment | None:
        """The next appointment whose time has come; the caller carries it out."""
        deadline = self.next_deadline()
        return heapq.heappop(self._heap)[2] if deadline is not None and deadline <= now else None

    def clear(self) -> None:
        """Cancel everything."""
        self._heap.clear()
