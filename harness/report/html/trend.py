"""How the target did over the nights: the medians of the stages, and how many verdicts failed."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from harness.report.history import PastRun
from harness.report.plot import Series, line_plot

# What a caller waits for, as many as a plot can tell apart.
STAGES = ("answer", "ice", "dtls", "channel", "set-up", "session-update", "turn-detected", "first-audio")
FEWEST = 2  # runs: one is no trend


def draw_trend(past: Sequence[PastRun]) -> list[Markup]:
    """Plots over the runs, oldest first: the stages, and the failures where there were any."""
    if len(past) < FEWEST:
        return []
    numbered = list(enumerate(past, start=1 - len(past)))
    medians = [
        Series(stage, [(i, run.medians[stage][1] if stage in run.medians else None) for i, run in numbered])
        for stage in STAGES
        if any(stage in run.medians for run in past)
    ]
    x_label = f"runs from {past[0].started_at[:10]} on; 0 is this one"
    plots = [line_plot(medians, title="Median of every stage", x_label=x_label, y_label="ms", log_y=True)]
    if any(run.failed for run in past):
        failed = Series("failed", [(i, float(run.failed)) for i, run in numbered])
        flaky = Series("of them flaky", [(i, float(run.flaky)) for i, run in numbered])
        shown = [failed, flaky] if any(run.flaky for run in past) else [failed]
        plots.append(line_plot(shown, title="Failed requirements", x_label=x_label, y_label="count"))
    return plots
