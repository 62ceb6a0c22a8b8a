from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.plot import Mark, Series, line_plot, plot_css, standalone
from harness.report.plot.lines import LEFT, PLOT_HEIGHT, TOP, WIDTH
from harness.report.plot.scales import scale_over, written
from harness.report.plot.style import DARK, DARK_SERIES, LIGHT, LIGHT_SERIES

SVG = "{http://www.w3.org/2000/svg}"
finite = st.floats(-1e9, 1e9).map(lambda value: round(value, 6))


def drawn(*series: Series, marks: Sequence[Mark] = (), log_y: bool = False) -> ET.Element:
    return ET.fromstring(
        line_plot(series, title="T", x_label="calls", y_label="ms", marks=marks, log_y=log_y)
    )


def points_of(root: ET.Element) -> list[str]:
    """What hovering each point says."""
    return [e.text or "" for g in root.iter(f"{SVG}g") for e in g.iter(f"{SVG}title")]


def test_every_measured_value_is_a_point_that_says_its_series_and_value() -> None:
    root = drawn(Series("open", [(1, 10), (2, 20.5)]), Series("audio", [(1, 900)]))
    assert points_of(root) == ["open: 10 at 1", "open: 20.5 at 2", "audio: 900 at 1"]


def test_what_was_not_measured_breaks_the_line_and_is_no_zero() -> None:
    root = drawn(Series("open", [(1, 10), (2, 11), (3, None), (4, math.nan), (5, 12), (6, 13)]))
    lines = [e for e in root.iter(f"{SVG}path") if e.get("class") == "line"]
    assert len(lines) == 2 + 1  # two stretches, and the legend's own
    assert len(points_of(root)) == 4


def test_nothing_measured_is_said() -> None:
    assert "nothing was measured" in "".join(drawn(Series("open", [(1, None)])).itertext())


def test_a_limit_beyond_all_values_still_lies_on_the_plot() -> None:
    root = drawn(Series("open", [(1, 10), (2, 20)]), marks=[Mark(500, "limit"), Mark(3, "breaks", axis="x")])
    marks = [e for e in root.iter(f"{SVG}line") if e.get("class") == "mark"]
    places = [(float(e.get("x1", 0)), float(e.get("y1", 0))) for e in marks]
    assert all(LEFT <= x <= WIDTH and TOP <= y <= TOP + PLOT_HEIGHT for x, y in places)


def test_names_are_escaped() -> None:
    root = drawn(Series("<script>alert(1)</script>", [(1, 1)]), marks=[Mark(1, '"><b>')])
    assert root.find(f".//{SVG}script") is None
    assert "<script>alert(1)</script>" in "".join(root.itertext())


def test_a_file_of_its_own_brings_colours_for_light_and_dark() -> None:
    root = ET.fromstring(standalone(line_plot([Series("a", [(1, 1)])], title="T", x_label="", y_label="")))
    style = root.find(f"{SVG}style")
    assert style is not None
    assert "prefers-color-scheme:dark" in (style.text or "")
    assert root.get("viewBox", "").startswith("0 0 640 ")


@given(
    st.lists(st.tuples(finite, st.none() | finite | st.just(math.inf)), max_size=20),
    st.booleans(),
)
def test_any_numbers_are_drawn_within_the_plot(points: list[tuple[float, float | None]], log: bool) -> None:
    root = drawn(Series("any", sorted(points, key=lambda p: p[0])), log_y=log)
    for circle in root.iter(f"{SVG}circle"):
        assert LEFT - 1 <= float(circle.get("cx", "nan")) <= WIDTH
        assert TOP - 1 <= float(circle.get("cy", "nan")) <= 1000


@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=20), st.booleans())
def test_a_scale_holds_its_values_between_round_ends_with_few_ticks(values: list[float], log: bool) -> None:
    scale = scale_over(values, 0, 100, log=log)
    assert all(-1e-6 <= scale(v) <= 100 + 1e-6 for v in values)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 16
    assert ticks == sorted(set(ticks))


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0, 93], [0, 20, 40, 60, 80, 100]),
        ([3], [0, 1, 2, 3]),
        ([2.9], [0, 0.5, 1, 1.5, 2, 2.5, 3]),
        ([], [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ([-4, 4], [-4, -2, 0, 2, 4]),
        ([12.5], [0, 2, 4, 6, 8, 10, 12, 14]),
    ],
)
def test_ticks_are_round(values: list[float], ticks: list[float]) -> None:
    assert scale_over(values, 0, 100).ticks() == pytest.approx(ticks)


def test_decades_show_one_two_five_while_they_are_few() -> None:
    assert scale_over([30, 400], 0, 100, log=True).ticks() == [20, 50, 100, 200, 500]
    assert scale_over([30, 40000], 0, 100, log=True).ticks() == [100, 1000, 10000]


def test_numbers_are_written_short() -> None:
    assert [written(v) for v in (0.1 + 0.2, 1500, 20.0, 2.5e6)] == ["0.3", "1,500", "20", "2,500,000"]


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("colours", "series"), [(LIGHT, LIGHT_SERIES), (DARK, DARK_SERIES)])
def test_colours_stand_out_from_their_ground(colours: dict[str, str], series: tuple[str, ...]) -> None:
    assert min(contrast(each, colours["ground"]) for each in (*series, colours["mark"])) >= 3
    assert min(contrast(colours[each], colours["ground"]) for each in ("ink", "soft", "mark")) >= 4.5


def test_the_page_style_has_a_colour_for_every_series() -> None:
    assert all(f"--plot-s{i}:" in plot_css() for i in range(1, len(LIGHT_SERIES) + 1))
