"""The figures as a drawing: for each network a box for each way, from quartile to quartile. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from harness.report.plot import standalone
from harness.report.plot.scales import Scale, scale_over, written
from harness.report.plot.svg import element
from tools.transports.figures import FIRST, GAPS, SET_UP, UP, Cells, Figure, Spread, spread_of
from tools.transports.networks import NAMES, WAYS

TITLE = "WebSocket and WebRTC over the same networks"
PANELS = (SET_UP, FIRST, GAPS, UP)
WIDTH = 440  # narrow enough to be read on a phone, where it is shrunk least
LEFT, RIGHT = 142, 24
TOP = 74
ROW, BOX = 34, 11  # a network's height, a box's
HEAD, FOOT = 34, 44  # of a panel: its title, its axis
COLOURS = {"websocket": "s2", "webrtc": "s1"}


def drawing(cells: Cells) -> str:
    """An SVG document."""
    panel_height = HEAD + ROW * len(cells) + FOOT
    height = TOP + panel_height * len(PANELS)
    body = [
        element("title", TITLE),
        element("text", TITLE, x=12, y=24, class_="title"),
        *_legend(),
    ]
    for index, figure in enumerate(PANELS):
        body += _panel(figure, cells, TOP + index * panel_height)
    svg = element(
        "svg",
        *body,
        xmlns="http://www.w3.org/2000/svg",
        viewbox=f"0 0 {WIDTH} {height}",
        width=WIDTH,
        height=height,
        class_="plot",
        role="img",
        aria_label=TITLE,
    )
    return standalone(svg)


def _legend() -> Iterator[Markup]:
    for x, way in zip((12, 122), WAYS, strict=True):
        yield element(
            "g",
            element("rect", x=x, y=40, width=18, height=BOX, class_="point"),
            element("text", NAMES[way], x=x + 26, y=50),
            class_=COLOURS[way],
        )
    yield element("text", "bar: median, box: half of all", x=212, y=50, class_="soft")


def _panel(figure: Figure, cells: Cells, top: float) -> list[Markup]:
    spreads = {n: {way: spread_of(figure, of[way]) for way in WAYS} for n, of in cells.items()}
    values = [s.most for of in spreads.values() for s in of.values() if s is not None]
    across = scale_over([0.0, *values], LEFT, WIDTH - RIGHT)
    first, bottom = top + HEAD, top + HEAD + ROW * len(cells)
    parts = [element("text", f"{figure.name}, {figure.unit}", x=12, y=top + 20, class_="title")]
    for value in _few(across.ticks()):
        x = across(value)
        parts += [
            element("line", x1=x, x2=x, y1=first, y2=bottom, class_="grid"),
            element("text", written(value), x=x, y=bottom + 17, text_anchor="middle", class_="soft"),
        ]
    for row, (network, of) in enumerate(spreads.items()):
        y = first + ROW * row
        parts.append(element("text", network, x=LEFT - 10, y=y + 22, text_anchor="end", class_="soft"))
        for place, way in enumerate(WAYS):
            parts.append(_box(figure, way, of[way], across, y + 4 + place * (BOX + 2)))
    return parts


def _few(ticks: Sequence[float]) -> Sequence[float]:
    return ticks if len(ticks) <= 6 else ticks[::2]


def _box(figure: Figure, way: str, found: Spread | None, across: Scale, y: float) -> Markup:
    if found is None:
        return element("text", "never", x=LEFT + 4, y=y + BOX - 1, class_="soft")
    middle = y + BOX / 2
    hover = f"{NAMES[way]}: {figure.name} {found} {figure.unit}, {found.known} calls"
    left, median, right = (across(value) for value in (found.low, found.median, found.high))
    series = "var(--plot-series)"
    return element(
        "g",
        element("title", hover),
        element("line", x1=across(found.least), x2=across(found.most), y1=middle, y2=middle, class_="line"),
        element("rect", x=left, y=y, width=right - left, height=BOX, fill=series, fill_opacity=0.5),
        element("rect", x=median - 1.5, y=y, width=3, height=BOX, fill=series),
        class_=COLOURS[way],
    )
