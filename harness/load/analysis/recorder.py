"""Every row that Locust is told, with its moment: what a stretch of the run is measured by."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from harness.load.analysis.rows import CALL
from harness.load.analysis.slo import Window

KEPT = 500_000  # rows: hours of a large soak; the oldest go first


class Recorder:
    """Listens to Locust's `request` event."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, str, float | None, str]] = []
        self.unreachable = False
        self.broken: Counter[str] = Counter()  # what we broke ourselves: such a call says nothing

    def hear(
        self,
        name: str,
        response_time: float | None,
        exception: BaseException | None,
        context: dict[str, Any],
        **_: Any,
    ) -> None:
        """Take one row."""
        failure = str(exception) if exception is not None else ""
        if context.get("ours"):
            self.broken[failure] += 1
            return
        self._rows.append((context["at"], name, response_time, failure))
        self.unreachable = self.unreachable or bool(context.get("unreachable"))
        if len(self._rows) > KEPT:
            del self._rows[: KEPT // 10]

    def window(self, since: float, until: float = float("inf")) -> Window:
        """What ended in since <= t < until, on the monotonic clock."""
        return _window(row for row in self._rows if since <= row[0] < until)

    def windows(self, bounds: Sequence[float]) -> list[Window]:
        """One for each stretch between two bounds: each row is in one of them, by its own moment."""
        rows: list[list[tuple[float, str, float | None, str]]] = [[] for _ in bounds[1:]]
        for row in self._rows:
            place = bisect.bisect_right(bounds, row[0]) - 1
            if 0 <= place < len(rows):
                rows[place].append(row)
        return [_window(each) for each in rows]

    def failures(self, since: float = 0.0) -> Counter[tuple[str, str]]:
        """(row, failure) → how often; the whole call's row only where no stage has it."""
        found = Counter((name, failure) for at, name, _, failure in self._rows if failure and at >= since)
        of_stages = {failure for name, failure in found if name != CALL}
        return Counter({(n, f): count for (n, f), count in found.items() if n != CALL or f not in of_stages})


def _window(rows: Iterable[tuple[float, str, float | None, str]]) -> Window:
    milliseconds: dict[str, list[float]] = {}
    calls = failed = 0
    for _, name, ms, failure in rows:
        if name == CALL:
            calls += 1
            failed += bool(failure)
        if ms is not None and not failure:
            milliseconds.setdefault(name, []).append(ms)
    return Window(milliseconds, calls, failed)
