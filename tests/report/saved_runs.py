"""Runs as results.json holds them, made up for comparing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.report.saved import (
    SavedHarness,
    SavedMeasurement,
    SavedRun,
    SavedSamples,
    SavedTarget,
    SavedVerdict,
)
from harness.run.measurements import Measurement


def saved_run(
    *,
    samples: Mapping[str, Sequence[float]] | None = None,
    outcomes: Mapping[str, tuple[str, str | None]] | None = None,
    mode: str = "black-box",
    url: str = "https://staging.example/session",
    conditions: Mapping[str, str] | None = None,
    started_at: str = "2026-01-01T00:00:00Z",
    version: str = "1",
    verdict: str = "conforming",
) -> SavedRun:
    """A run with these samples in ms by name, and outcome and cause by requirement id."""
    measured = {name: Measurement.of("ms", values) for name, values in (samples or {}).items()}
    return SavedRun(
        schema=1,
        harness=SavedHarness(version),
        target=SavedTarget(url, "json", mode),
        seed=1,
        started_at=started_at,
        verdict=verdict,
        requirements=tuple(
            SavedVerdict(rule, "MUST", outcome, cause, "first_turn")
            for rule, (outcome, cause) in (outcomes or {}).items()
        ),
        measurements={n: SavedMeasurement(m.unit, m.count, m.p50, m.p95, m.max) for n, m in measured.items()},
        more=SavedSamples(
            schema=1,
            conditions=dict(conditions or {"fixtures": "abc"}),
            samples={name: tuple(values) for name, values in (samples or {}).items()},
        ),
    )
