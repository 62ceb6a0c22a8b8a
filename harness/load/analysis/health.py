"""Whether the generator kept up: a late sender and a busy loop make every figure of the target doubtful."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.core.audio import percentile
from harness.core.limits import limit
from harness.load.analysis.lateness import Lateness
from harness.load.messages import GeneratorMeasured

SUSTAINED = 3  # late seconds in succession: one stall is a hiccup, and is seen in the maximum
CPU_LIMIT = 0.9  # of the one core that an event loop can use
# What can be late: pacing, lag, reading, placing.
_LATE = ("packets left {}", "its event loop was {}", "packets were read {}", "calls began {}")


@dataclass
class Health:
    """What a generator's processes measured of themselves since the run began."""

    limits: Mapping[str, float] = field(default_factory=dict)
    pacing: Lateness = field(default_factory=Lateness)
    lag: Lateness = field(default_factory=Lateness)
    reading: Lateness = field(default_factory=Lateness)
    placing: Lateness = field(default_factory=Lateness)
    cpu: float = 0.0  # the busiest second, as a part of one core
    calls: int = 0  # the most at a time
    carried: int = 0  # the most at a time in a second that was not late
    saturated: str = ""  # why the figures are doubtful; "" while they are not
    _late_seconds: int = 0

    def add(self, measured: GeneratorMeasured) -> None:
        """Take one second's measurements."""
        self.pacing.add(measured.pacing)
        self.lag.add(measured.lag)
        self.reading.add(measured.reading)
        self.placing.add(measured.placing)
        self.cpu = max(self.cpu, measured.cpu)
        self.calls = max(self.calls, measured.calls)
        why = self._lateness(measured) if measured.calls else ""
        if not why:
            self.carried = max(self.carried, measured.calls)
        self._late_seconds = self._late_seconds + 1 if why else 0
        if self._late_seconds >= SUSTAINED:
            self.saturated = self.saturated or why

    def latest(self) -> tuple[float, str] | None:
        """The worst lateness at p99, in ms, and what was so late; None where all is as allowed."""
        kept = (self.pacing, self.lag, self.reading, self.placing)
        return self._beyond([histogram.percentile(99) for histogram in kept])

    def verdict(self) -> str:
        """Why the run is inconclusive, and what this machine can carry; empty where it kept up."""
        if not self.saturated:
            return ""
        carries = f"{self.carried} calls on time" if self.carried else "not even the fewest calls on time"
        return f"inconclusive: the generator was saturated ({self.saturated}); this machine carried {carries}"

    def __str__(self) -> str:
        return (
            f"the generator had {self.calls} calls at most; packets left late by {self.pacing}; "
            f"its event loop was late by {self.lag}; packets were read late by {self.reading}; "
            f"orders waited {self.placing}; "
            f"it used {100 * self.cpu:.0f} % of a core at most"
        )

    def as_json(self) -> dict[str, Any]:
        """For a report. Milliseconds; `cpu` is a part of one core."""
        return {
            "calls": self.calls,
            "carried": self.carried,
            "cpu": round(self.cpu, 3),
            "pacing_ms": self.pacing.as_json(),
            "loop_lag_ms": self.lag.as_json(),
            "reading_ms": self.reading.as_json(),
            "placing_ms": self.placing.as_json(),
            "saturated": self.saturated,
        }

    # --- between worker and master ---

    def as_report(self) -> dict[str, Any]:
        """All of it, for another process."""
        return {
            "calls": self.calls,
            "carried": self.carried,
            "cpu": self.cpu,
            "saturated": self.saturated,
            "pacing": self.pacing.as_counts(),
            "lag": self.lag.as_counts(),
            "reading": self.reading.as_counts(),
            "placing": self.placing.as_counts(),
        }

    @classmethod
    def of_workers(cls, reports: Iterable[Mapping[str, Any]]) -> Health:
        """The workers' together: calls add up, the busiest counts, one that is saturated is enough."""
        whole = cls()
        for report in reports:
            for name in ("pacing", "lag", "reading", "placing"):
                counts = {int(step): count for step, count in report[name].items()}
                getattr(whole, name).merge(Lateness(counts))
            whole.calls += report["calls"]
            whole.carried += report["carried"]
            whole.cpu = max(whole.cpu, report["cpu"])
            whole.saturated = whole.saturated or report["saturated"]
        return whole

    def _lateness(self, measured: GeneratorMeasured) -> str:
        """Why this second was late; empty where it was not."""
        kept = (measured.pacing, measured.lag, measured.reading, measured.placing)
        found = self._beyond([percentile(values, 99) for values in kept])
        if found is not None:
            return found[1]
        if measured.cpu > CPU_LIMIT:
            return f"it used {100 * measured.cpu:.0f} % of a core"
        return ""

    def _beyond(self, late: Sequence[float | None]) -> tuple[float, str] | None:
        """The worst of these p99, in the order of _LATE, that is more than allowed."""
        allowed = limit(self.limits, "lateness_p99_ms")
        found = [(ms, what) for ms, what in zip(late, _LATE, strict=True) if ms is not None and ms > allowed]
        if not found:
            return None
        ms, what = max(found)
        return ms, what.format(f"{ms:.0f} ms late at p99, {allowed:g} ms allowed")
