"""Lanes over time: what a call's panels are made of, and their drawing.

Places are per cent of the panel's width, heights are pixels: a lane fits a phone as it fits a desk, and its
words keep their size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from harness.report.plot.scales import Scale
from harness.report.plot.svg import element

# What a colour means: calm: a stage that went well; caller, relay: a voice; good, doubt, bad: a judgement.
Tone = Literal["calm", "caller", "relay", "good", "doubt", "bad", "muted"]

HEIGHT = 24
WAVE_HEIGHT = 64
LETTER = 2.0  # per cent of a phone's width
BAR = 12


@dataclass(frozen=True)
class Span:
    """From start to end, in seconds; `label` is written in or beside it, `detail` shown on hovering."""

    start: float
    end: float
    label: str = ""
    detail: str = ""
    tone: Tone = "calm"


@dataclass(frozen=True)
class Tick:
    """A moment."""

    at: float
    detail: str
    tone: Tone = "bad"


@dataclass(frozen=True)
class Lane:
    """One row. `note` says in words what the drawing shows; `wave` are peaks from 0 to 1 over the panel."""

    name: str
    note: str = ""
    spans: tuple[Span, ...] = ()
    ticks: tuple[Tick, ...] = ()
    wave: tuple[float, ...] = ()
    wave_tone: Tone = "caller"


@dataclass(frozen=True)
class Panel:
    """Lanes over one stretch of time, in seconds. `milliseconds`: how the ruler counts."""

    end: float
    lanes: tuple[Lane, ...]
    milliseconds: bool = False

    @property
    def scale(self) -> Scale:
        return Scale(0.0, max(self.end, 0.001), 0.0, 100.0)


def ruler(panel: Panel) -> Markup:
    """The row of times."""
    unit, factor = ("ms", 1000) if panel.milliseconds else ("s", 1)
    marks = [
        element(
            "text",
            f"{at * factor:,.6g} {unit}",
            x=_percent(x),
            y=13,
            text_anchor="end" if x > 97 else "start" if x < 3 else "middle",
        )
        for at, x in ((at, panel.scale(at)) for at in panel.scale.ticks())
    ]
    return element("svg", *marks, class_="ruler", height=18, width="100%", aria_hidden="true")


def draw(lane: Lane, panel: Panel) -> Markup:
    """The row of one lane. Words that matter are in its note: the drawing itself is hidden from readers."""
    scale = panel.scale
    height = WAVE_HEIGHT if lane.wave else HEIGHT
    body = [
        element("line", x1=_percent(scale(at)), x2=_percent(scale(at)), y1=0, y2=height, class_="grid")
        for at in scale.ticks()
    ]
    body += [part for span in lane.spans for part in _span(span, scale, height)]
    if lane.wave:
        body.append(_wave(lane.wave, height, lane.wave_tone))
    body += [_tick(tick, scale, height) for tick in lane.ticks]
    return element("svg", *body, height=height, width="100%", aria_hidden="true")


def _span(span: Span, scale: Scale, height: int) -> Iterator[Markup]:
    start, end = _clamped(scale(span.start)), _clamped(scale(span.end))
    hover = [element("title", span.detail)] if span.detail else []
    behind_wave = height == WAVE_HEIGHT
    y, bar = (0, height) if behind_wave else ((height - BAR) / 2, BAR)
    yield element(
        "rect",
        *hover,
        x=_percent(start),
        y=y,
        width=_percent(max(end - start, 0.15)),
        height=bar,
        rx=0 if behind_wave else 3,
        class_=f"{'band' if behind_wave else 'bar'} {span.tone}",
    )
    if span.label:
        yield _label(span.label, start, end)


def _label(text: str, start: float, end: float) -> Markup:
    """Inside its bar where there is room, else behind it, else before it."""
    wide, y = LETTER * len(text) + 3, HEIGHT / 2 + 4
    if end - start >= wide:
        return element("text", text, x=_percent(start), dx=7, y=y, class_="inside")
    if end + wide <= 100 or start < wide:
        return element("text", text, x=_percent(end), dx=7, y=y)
    return element("text", text, x=_percent(start), dx=-7, y=y, text_anchor="end")


def _tick(tick: Tick, scale: Scale, height: int) -> Markup:
    x = _percent(_clamped(scale(tick.at)))
    return element(
        "line", element("title", tick.detail), x1=x, x2=x, y1=3, y2=height - 3, class_=f"tick {tick.tone}"
    )


def _wave(wave: Sequence[float], height: int, tone: Tone) -> Markup:
    """One vertical stroke for each audible part; silence is the line in the middle."""
    middle = height / 2
    strokes = "".join(
        f"M{i + 0.5:g} {middle - reach:.0f}V{middle + reach:.0f}"
        for i, peak in enumerate(wave)
        if (reach := peak * (middle - 1)) >= 0.5
    )
    return element(
        "svg",
        element("path", d=f"M0 {middle:g}H{len(wave)}{strokes}"),
        viewbox=f"0 0 {len(wave)} {height}",
        preserveaspectratio="none",
        width="100%",
        height=height,
        class_=f"wave {tone}",
    )


def _clamped(x: float) -> float:
    return min(max(x, 0.0), 100.0)


def _percent(x: float) -> str:
    return f"{x:.2f}".rstrip("0").rstrip(".") + "%"
