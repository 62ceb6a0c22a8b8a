"""One step of a climb: so many calls for so long, what was measured, and whether the objectives held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.core.audio import percentile
from harness.load.analysis.health import Health
from harness.load.analysis.rows import CALL, ROWS
from harness.load.analysis.slo import FAILURES, Slo, Window
from harness.run.measurements import Measurement


@dataclass(frozen=True)
class LoadStep:
    """`calls` were asked for, and measured from `since` on, in seconds from when the search began.

    `broken` are the objectives that did not hold, the earliest stage first.
    """

    calls: int
    seconds: float
    window: Window
    health: Health
    slos: tuple[Slo, ...]
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    since: float | None = None

    @property
    def broken(self) -> list[Slo]:
        order = [FAILURES, *ROWS, CALL]
        broken = (slo for slo in self.slos if slo.kept(self.window) is False)
        return sorted(broken, key=lambda slo: order.index(slo.row))

    @property
    def unmeasured(self) -> list[Slo]:
        """The objectives that nothing was measured of."""
        return [slo for slo in self.slos if slo.kept(self.window) is None]

    @property
    def outcome(self) -> str:
        """`held`, `broken`, or nothing that can be told: `inconclusive` where it was too short to tell.

        A generator that was late itself (`saturated`) cannot say that the target was.
        """
        if self.saturated:
            return "saturated"
        if self.broken:
            return "broken"
        return "inconclusive" if self.unmeasured or not self.window.calls else "held"

    @property
    def saturated(self) -> str:
        """Why the generator was too slow itself; empty where the figures are the target's."""
        return self.health.saturated or self._ours()

    def _ours(self) -> str:
        """Our own lateness, where every objective that broke would have held without it."""
        found = self.health.latest()
        if found is None or not self.broken:
            return ""
        late, what = found
        if not all(slo.held_without(late, self.window) for slo in self.broken):
            return ""
        put = (f"{s.measure} at {s.show(s.value(self.window))}, not below {s.bound}" for s in self.broken)
        return f"{what}, which may be all that put {' and '.join(put)}"

    def because(self) -> str:
        """Why it did not hold, in one line; empty where it did."""
        if self.outcome == "saturated":
            return self.saturated
        if self.broken:
            return "; ".join(self._told(slo) for slo in self.broken)
        if not self.window.calls:
            return f"no call came to its end in {self.seconds:.0f} s"
        return "".join(f"nothing was measured of {slo.measure}" for slo in self.unmeasured[:1])

    def figures(self) -> str:
        """What the objectives are about, for a line of progress."""
        return "  ".join(f"{slo.measure} {slo.show(slo.value(self.window))}" for slo in self.slos)

    def as_json(self) -> dict[str, Any]:
        """For capacity.json. Rows in ms; p95 is null under twenty samples."""
        return {
            "calls": self.calls,
            "since": None if self.since is None else round(self.since, 1),
            "seconds": round(self.seconds, 1),
            "outcome": self.outcome,
            "because": self.because(),
            "ended": self.window.calls,
            "failed": self.window.failed,
            "rows": {row: _measurement(found) for row, found in sorted(self.window.milliseconds.items())},
            "slos": [
                {
                    "slo": slo.text,
                    "row": slo.row,
                    "value": _rounded(slo.value(self.window)),
                    "samples": self._samples(slo),
                    "kept": slo.kept(self.window),
                }
                for slo in self.slos
            ],
            "failures": [
                {"row": row, "failure": failure, "count": count}
                for (row, failure), count in self.failures.most_common()
            ],
            "generator": self.health.as_json(),
        }

    def _samples(self, slo: Slo) -> int:
        return self.window.calls if slo.row == FAILURES else len(self.window.milliseconds.get(slo.row, ()))

    def _told(self, slo: Slo) -> str:
        told = f"{slo.measure} was {slo.show(slo.value(self.window))}, not below {slo.bound}"
        if slo.row == FAILURES and self.failures:
            (row, failure), count = self.failures.most_common(1)[0]
            told += f" ({count} times {row}: {failure})"
        return told


def grown_most(first: LoadStep, last: LoadStep) -> tuple[str, float, float] | None:
    """(row, ms then, ms now) of the stage whose median grew by the largest factor: where the queue is."""
    grown = []
    for row in ROWS:
        before = percentile(first.window.milliseconds.get(row, ()), 50)
        after = percentile(last.window.milliseconds.get(row, ()), 50)
        if before and after:
            grown.append((after / before, row, before, after))
    if not grown:
        return None
    factor, row, before, after = max(grown)
    return (row, before, after) if factor > 1 else None


def enough(window: Window, slos: Sequence[Slo], fewest: int) -> bool:
    """Whether each stage that an objective is about was measured so often."""
    return all(
        (window.calls if slo.row == FAILURES else len(window.milliseconds.get(slo.row, ()))) >= fewest
        for slo in slos
    )


def _measurement(values: Sequence[float]) -> dict[str, Any]:
    found = Measurement.of("ms", values)
    return {"count": found.count, "p50": found.p50, "p95": found.p95, "max": found.max}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
