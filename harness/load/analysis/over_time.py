"""How each stage went from the first caller to the last: for charts, which show what a step's p95 hides."""

from __future__ import annotations

from statistics import median
from typing import Any

from harness.load.analysis.recorder import Recorder
from harness.load.analysis.rows import CALL, ROWS

STRETCHES = 60  # of equal length: a report's width holds no more that the eye could tell apart


def over_time(recorder: Recorder, since: float, until: float) -> dict[str, Any]:
    """For capacity.json: of each stretch with a value its middle (s), the median and the worst (ms).

    `since` and `until` are on the monotonic clock.
    """
    length = max(until - since, 1.0) / STRETCHES
    windows = recorder.windows([since + i * length for i in range(STRETCHES + 1)])
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for row in (*ROWS, CALL):
        for i, window in enumerate(windows):
            if found := window.milliseconds.get(row):
                middle = round((i + 0.5) * length, 1)
                rows.setdefault(row, []).append((middle, round(median(found), 1), round(max(found), 1)))
    return {"seconds": round(until - since, 1), "rows": rows}
