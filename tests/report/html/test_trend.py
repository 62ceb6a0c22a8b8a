from __future__ import annotations

import xml.etree.ElementTree as ET

from harness.report.comparison import Comparison, Shift
from harness.report.history import PastRun
from harness.report.html import as_html
from harness.report.html.trend import draw_trend
from tests.report.html.runs import clips, run_of

SVG = "{http://www.w3.org/2000/svg}"


def past(*answers: float | None, failed: int = 0) -> list[PastRun]:
    return [
        PastRun(
            f"2026-01-{day:02d}T00:00:00", "conforming", failed, {} if ms is None else {"answer": ("ms", ms)}
        )
        for day, ms in enumerate(answers, start=1)
    ]


def test_every_run_is_a_point_and_this_one_is_the_last() -> None:
    (plot,) = draw_trend(past(100, None, 120))
    hovers = [t.text for g in ET.fromstring(plot).iter(f"{SVG}g") for t in g.iter(f"{SVG}title")]
    assert hovers == ["answer: 100 at -2", "answer: 120 at 0"]
    assert "from 2026-01-01 on" in plot


def test_failures_are_drawn_where_there_were_any() -> None:
    assert len(draw_trend(past(100, 110))) == 1
    assert len(draw_trend(past(100, 110, failed=2))) == 2


def test_one_run_is_no_trend() -> None:
    assert draw_trend(past(100)) == []
    assert "Trend" not in as_html(run_of(), clips(), past=past(100))


def test_what_got_worse_since_the_baseline_is_told_with_the_test_that_says_so() -> None:
    shift = Shift("first-audio", "ms", 900, 1400, (20, 20), 0.001)
    page = as_html(run_of(), clips(), comparison=Comparison(worse=(shift,), too_few=("turn",)))
    assert str(shift) in page
    assert "Mann-Whitney" in page
    assert "Too few samples to tell: turn" in page


def test_no_change_is_said() -> None:
    assert "Nothing changed beyond noise." in as_html(run_of(), clips(), comparison=Comparison())
