"""A plot of several lines over one axis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from harness.report.plot.scales import Scale, are_whole, scale_over, written
from harness.report.plot.style import LIGHT_SERIES
from harness.report.plot.svg import element, path

WIDTH = 640
LEFT, RIGHT, TOP, PLOT_HEIGHT = 58, 18, 46, 240
LEGEND_ROW = 22
LETTER = 6.9  # about the width of one, to wrap the legend: the drawing cannot ask the reader's font


@dataclass(frozen=True)
class Series:
    """Points (x, y) in order of x. A y of None, or not finite, was not measured and breaks the line."""

    name: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True)
class Mark:
    """A dashed line across the plot at a value of one axis: a limit, or where something broke."""

    value: float
    label: str
    axis: Literal["x", "y"] = "y"


def line_plot(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str,
    y_label: str,
    marks: Sequence[Mark] = (),
    log_y: bool = False,
) -> Markup:
    """An `<svg>` of all series, told apart by colour and by their points' shape; hover one for its value.

    `log_y` shows the y axis by decades: for stages of 20 ms and of 2 s in one plot. Names and labels are
    escaped. Nothing to show is said, not drawn as zero.
    """
    legend = _legend_rows([each.name for each in series])
    bottom = TOP + PLOT_HEIGHT
    height = bottom + 48 + LEGEND_ROW * len(legend)
    known = [(x, y) for each in series for x, y in _measured(each.points)]
    xs = [x for x, _ in known] + [m.value for m in marks if m.axis == "x"]
    ys = [y for _, y in known] + [m.value for m in marks if m.axis == "y"]
    across = _x_scale(xs)
    up = scale_over(ys, bottom, TOP, log=log_y)
    body = [
        element("title", title),
        element("text", title, x=LEFT, y=22, class_="title"),
        *_axes(across, up, x_label, y_label),
        *(_mark_line(mark, across, up) for mark in marks),
        *(_line(i, each, across, up, log_y=log_y) for i, each in enumerate(series)),
        *(_mark_label(mark, across, up) for mark in marks),
        *_legend(legend, bottom + 56),
    ]
    if not known:
        body.append(
            element(
                "text", "nothing was measured", x=WIDTH / 2, y=TOP + PLOT_HEIGHT / 2, text_anchor="middle"
            )
        )
    return element(
        "svg",
        *body,
        xmlns="http://www.w3.org/2000/svg",
        viewbox=f"0 0 {WIDTH} {height}",
        class_="plot",
        role="img",
        aria_label=title,
    )


def _measured(points: Sequence[tuple[float, float | None]]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if y is not None and math.isfinite(y)]


def _x_scale(values: Sequence[float]) -> Scale:
    """The data from end to end: an x axis need not begin at zero."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    return Scale(low, high if high > low else low + 1, LEFT + 8, WIDTH - RIGHT - 8, whole=are_whole(values))


def _axes(across: Scale, up: Scale, x_label: str, y_label: str) -> Iterator[Markup]:
    right, bottom = WIDTH - RIGHT, TOP + PLOT_HEIGHT
    yield element("line", x1=LEFT, x2=right, y1=bottom, y2=bottom, class_="grid")
    for value in up.ticks():
        y = up(value)
        yield element("line", x1=LEFT, x2=right, y1=y, y2=y, class_="grid")
        yield element("text", written(value), x=LEFT - 8, y=y + 4, text_anchor="end", class_="soft")
    for value in across.ticks():
        x = across(value)
        yield element("line", x1=x, x2=x, y1=bottom, y2=bottom + 5, class_="grid")
        yield element("text", written(value), x=x, y=bottom + 19, text_anchor="middle", class_="soft")
    yield element("text", y_label, x=LEFT - 8, y=TOP - 10, text_anchor="end", class_="soft")
    yield element("text", x_label, x=right, y=bottom + 36, text_anchor="end", class_="soft")


def _mark_line(mark: Mark, across: Scale, up: Scale) -> Markup:
    if mark.axis == "y":
        y = up(mark.value)
        return element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="mark")
    x = across(mark.value)
    return element("line", x1=x, x2=x, y1=TOP, y2=TOP + PLOT_HEIGHT, class_="mark")


def _mark_label(mark: Mark, across: Scale, up: Scale) -> Markup:
    """Over everything else, so that no line runs through it."""
    if mark.axis == "y":
        return element("text", mark.label, x=LEFT + 8, y=up(mark.value) - 6, class_="mark-label")
    x = across(mark.value)
    at, anchor = (x - 6, "end") if x > WIDTH / 2 else (x + 6, "start")
    return element("text", mark.label, x=at, y=TOP + 12, text_anchor=anchor, class_="mark-label")


def _line(index: int, series: Series, across: Scale, up: Scale, *, log_y: bool) -> Markup:
    parts = []
    for stretch in _stretches(series.points):
        placed = [(across(x), up(y)) for x, y in stretch if y > 0 or not log_y]
        if len(placed) > 1:
            parts.append(element("path", d=path(placed), class_="line"))
    for x, y in _measured(series.points):
        if y > 0 or not log_y:
            hover = element("title", f"{series.name}: {y:,.4g} at {written(x)}")
            parts.append(_point(index, across(x), up(y), hover))
    return element("g", *parts, class_=_series_class(index))


def _stretches(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """The line without its gaps."""
    found: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None or not math.isfinite(y):
            found.append([])
        else:
            found[-1].append((x, y))
    return found


def _point(index: int, x: float, y: float, *children: Markup) -> Markup:
    """Circle, square, diamond or triangle: lines stay apart where colours are not seen."""
    if index % 4 == 0:
        return element("circle", *children, cx=x, cy=y, r=4, class_="point")
    corners = {
        1: ((-3.6, -3.6), (3.6, -3.6), (3.6, 3.6), (-3.6, 3.6)),
        2: ((0, -5), (5, 0), (0, 5), (-5, 0)),
        3: ((0, -5), (4.6, 3.6), (-4.6, 3.6)),
    }[index % 4]
    return element("path", *children, d=path((x + dx, y + dy) for dx, dy in corners) + "Z", class_="point")


def _series_class(index: int) -> str:
    return f"s{index % len(LIGHT_SERIES) + 1}"


def _legend_rows(names: Sequence[str]) -> list[list[tuple[int, float, str]]]:
    """Rows of (index, x, name), wrapped at the drawing's width."""
    rows: list[list[tuple[int, float, str]]] = []
    x = float(WIDTH)
    for index, name in enumerate(names):
        wide = 30 + LETTER * len(name) + 16
        if x + wide > WIDTH - RIGHT or not rows:
            rows.append([])
            x = LEFT
        rows[-1].append((index, x, name))
        x += wide
    return rows


def _legend(rows: Sequence[Sequence[tuple[int, float, str]]], top: float) -> Iterator[Markup]:
    for row, entries in enumerate(rows):
        y = top + row * LEGEND_ROW
        for index, x, name in entries:
            yield element(
                "g",
                element("path", d=path([(x, y - 4), (x + 22, y - 4)]), class_="line"),
                _point(index, x + 11, y - 4),
                element("text", name, x=x + 28, y=y),
                class_=_series_class(index),
            )
