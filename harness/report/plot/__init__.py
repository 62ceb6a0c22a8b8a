"""Drawings as SVG text: pure functions from numbers to markup, for the HTML report and as files of their own.

    svg = line_plot([Series("DC open p95", [(1, 140), (2, 150)])], title="…", x_label="calls", y_label="ms")
    Path("capacity.svg").write_text(standalone(svg), encoding="utf-8")

Inside a page the drawing takes its colours from the page's `plot_css()`; `standalone` brings them along.
"""

from harness.report.plot.lines import Mark, Series, line_plot
from harness.report.plot.style import plot_css, standalone

__all__ = ["Mark", "Series", "line_plot", "plot_css", "standalone"]
