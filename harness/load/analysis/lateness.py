"""How late we were: counted by tenths of a millisecond, so that workers' counts can be added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

STEP_MS = 0.1


class Lateness:
    """A histogram of milliseconds. Percentiles are those of the nearest rank, to a tenth of a millisecond."""

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self._counts: Counter[int] = Counter(counts or {})

    def __len__(self) -> int:
        return self._counts.total()

    def add(self, milliseconds: Iterable[float]) -> None:
        """Count more values."""
        self._counts.update(round(ms / STEP_MS) for ms in milliseconds)

    def merge(self, other: Lateness) -> None:
        """Count another's values too."""
        self._counts.update(other._counts)

    def percentile(self, q: float) -> float | None:
        """The value that q per cent do not exceed; None for no values."""
        wanted, seen = q / 100 * len(self), 0
        for step in sorted(self._counts):
            seen += self._counts[step]
            if seen >= wanted:
                return round(step * STEP_MS, 1)
        return None

    def as_counts(self) -> dict[int, int]:
        """Tenths of a millisecond → how often: what the constructor takes."""
        return dict(self._counts)

    def __str__(self) -> str:
        if not self:
            return "not measured"
        found = ((self.percentile(q), name) for q, name in ((50, "p50"), (99, "p99"), (100, "max")))
        return ", ".join(f"{value:g} ms ({name})" for value, name in found)

    def as_json(self) -> dict[str, float | int | None]:
        """For a report: milliseconds."""
        return {
            "count": len(self),
            "p50": self.percentile(50),
            "p99": self.percentile(99),
            "max": self.percentile(100),
        }
