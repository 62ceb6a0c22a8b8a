"""Service level objectives in one line each: `DC open p95 < 5s`, `failures < 1%`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.core.errors import UsageError
from harness.core.nearest import meant
from harness.load.analysis.lateness import Lateness
from harness.load.analysis.rows import CALL, ROWS

FAILURES = "failures"
DEFAULT_SLOS = ("DC open p95 < 5s", "first audio p95 < 3s", "failures < 1%")

_STAGE = re.compile(
    r"\s*(?P<row>.+?)\s+(?P<stat>p\d{1,2}(?:\.\d+)?|median|max)\s*<\s*(?P<limit>\d+(?:\.\d+)?)\s*(?P<unit>ms|s)\s*",
    re.IGNORECASE,
)
_FAILURES = re.compile(r"\s*failures\s*<\s*(?P<limit>\d+(?:\.\d+)?)\s*%\s*", re.IGNORECASE)
_QUANTILES = {"median": 50.0, "max": 100.0}


@dataclass(frozen=True)
class Slo:
    """`row` at quantile `q` (0 to 100) stays below `limit` ms; `failures` stay below `limit` %."""

    text: str
    row: str
    q: float
    limit: float

    @property
    def measure(self) -> str:
        """What is measured: `DC open p95`, `failures`."""
        return self.text.partition("<")[0].strip()

    @property
    def bound(self) -> str:
        """What it must stay below, as it was written."""
        return self.text.partition("<")[2].strip()

    def value(self, measured: Window) -> float | None:
        """Milliseconds or per cent; None where nothing was measured."""
        if self.row == FAILURES:
            return measured.failure_percent
        return measured.quantile(self.row, self.q)

    def kept(self, measured: Window) -> bool | None:
        """Whether it held; None where nothing was measured, which is neither."""
        value = self.value(measured)
        return None if value is None else value < self.limit

    def held_without(self, late: float, measured: Window) -> bool:
        """Whether a time would have stayed below without so many ms; never true of failures."""
        value = self.value(measured)
        return self.row != FAILURES and value is not None and value - late < self.limit

    def show(self, value: float | None) -> str:
        """The value in the unit that a person reads."""
        if value is None:
            return "not measured"
        if self.row == FAILURES:
            return f"{value:.1f} %"
        return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.0f} ms"


@dataclass(frozen=True)
class Window:
    """What was measured in one stretch of time: ms of each row, calls that ended, and how many failed."""

    milliseconds: Mapping[str, Sequence[float]]
    calls: int
    failed: int

    @property
    def failure_percent(self) -> float | None:
        return 100 * self.failed / self.calls if self.calls else None

    def quantile(self, row: str, q: float) -> float | None:
        """The ms that q per cent of a row do not exceed; None where nothing was measured."""
        return nearest_rank(self.milliseconds.get(row, ()), q)


@dataclass(frozen=True)
class CountedWindow(Window):
    """Hours of what was measured, in a histogram of each row: to a tenth of a millisecond."""

    histograms: Mapping[str, Lateness] = field(default_factory=dict)

    def quantile(self, row: str, q: float) -> float | None:
        """As a Window's."""
        found = self.histograms.get(row)
        return found.percentile(q) if found is not None else None


@dataclass(frozen=True)
class SloValue:
    """What came of an objective: its value in ms or per cent, None where nothing was measured."""

    slo: Slo
    value: float | None
    kept: bool | None

    @classmethod
    def of(cls, slo: Slo, measured: Window) -> SloValue:
        """In this stretch of time."""
        return cls(slo, slo.value(measured), slo.kept(measured))

    def __str__(self) -> str:
        """Why it was not kept; empty where it was."""
        if self.kept:
            return ""
        if self.kept is None:
            return f"nothing was measured of {self.slo.measure}"
        return f"{self.slo.measure} was {self.slo.show(self.value)}, not below {self.slo.bound}"

    def as_json(self) -> dict[str, object]:
        """For a report."""
        value = None if self.value is None else round(self.value, 3)
        return {"slo": self.slo.text, "row": self.slo.row, "value": value, "kept": self.kept}


def read_slo(text: str, stages: Sequence[str] = (*ROWS, CALL)) -> Slo:
    """Raises UsageError that shows the form, and near matches for a row that is none of `stages`."""
    if (failures := _FAILURES.fullmatch(text)) is not None:
        return Slo(_tidy(text), FAILURES, 0.0, float(failures["limit"]))
    found = _STAGE.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{text!r} is no objective",
            'write "DC open p95 < 5s", "first audio max < 900ms" or "failures < 1%"',
        )
    rows = {row.lower(): row for row in stages}
    row = rows.get(found["row"].lower())
    if row is None:
        raise UsageError(
            f"there is no stage {found['row']!r} in {text!r}", meant(found["row"], rows.values())
        )
    stat = found["stat"].lower()
    q = _QUANTILES.get(stat) or float(stat.removeprefix("p"))
    return Slo(_tidy(text), row, q, float(found["limit"]) * (1000 if found["unit"].lower() == "s" else 1))


def read_slos(texts: Sequence[str], usual: Sequence[str] = DEFAULT_SLOS) -> tuple[Slo, ...]:
    """All of them, or the `usual` for none. Raises UsageError."""
    return tuple(read_slo(text) for text in texts or usual)


def nearest_rank(values: Sequence[float], q: float) -> float | None:
    """The smallest value that q per cent do not exceed, so the p95 of under 20 is the worst; None of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(q / 100 * len(ordered)) - 1)] if ordered else None


def _tidy(text: str) -> str:
    return " ".join(text.split())
