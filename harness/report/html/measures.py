"""The measured quantities: each value as a point, those of one unit over one scale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.core.events import PacingMeasured
from harness.core.stages import STAGE_NAMES, durations
from harness.report.html.words import number
from harness.report.plot.scales import Scale, scale_over, written
from harness.report.plot.svg import element
from harness.run.measurements import Measurement
from harness.run.model import Run

HEIGHT = 22
LOG_UNIT = "ms"  # stages take from a few milliseconds to many seconds
EDGE = 2.0  # per cent: room for a point at the end of the scale


@dataclass(frozen=True)
class MeasuredValue:
    """One value and the call it was measured in."""

    value: float
    call: str


@dataclass(frozen=True)
class MeasuredRow:
    """One quantity."""

    name: str
    measurement: Measurement
    drawing: Markup


@dataclass(frozen=True)
class Group:
    """The quantities of one unit, with the ruler that they share."""

    unit: str
    rows: tuple[MeasuredRow, ...]
    ruler: Markup


def groups(run: Run) -> list[Group]:
    """Units in the order of their first quantity; stages in the order of a call, then all else by name."""
    values = samples(run)
    order = {name: i for i, name in enumerate(STAGE_NAMES)}
    names = sorted(values, key=lambda key: (order.get(key[0], len(order)), key))
    found = []
    for unit in dict.fromkeys(unit for _, unit in names):
        own = [name for name, its in names if its == unit]
        every = [s.value for name in own for s in values[name, unit]]
        scale = scale_over(every, EDGE, 100 - EDGE, log=unit == LOG_UNIT)
        rows = tuple(_row(name, unit, values[name, unit], scale) for name in own)
        found.append(Group(unit, rows, _ruler(scale)))
    return found


def samples(run: Run) -> dict[tuple[str, str], list[MeasuredValue]]:
    """(name, unit) → every value with its call: the same quantities as in results.json."""
    found: dict[tuple[str, str], list[MeasuredValue]] = {}
    for call in run.calls:
        for stage, seconds in durations(call.timeline).items():
            found.setdefault((stage, "ms"), []).extend(MeasuredValue(1000 * s, call.id) for s in seconds)
        for pacing in call.timeline.all(PacingMeasured):
            found.setdefault(("harness.pacing-lateness-p99", "ms"), []).append(
                MeasuredValue(pacing.p99, call.id)
            )
    for verdict in run.verdicts:
        if verdict.observation is not None and verdict.observation.values:
            own = found.setdefault((verdict.id, verdict.observation.unit), [])
            own.extend(MeasuredValue(value, verdict.call) for value in verdict.observation.values)
    return {key: values for key, values in found.items() if values}


def _row(name: str, unit: str, values: Sequence[MeasuredValue], scale: Scale) -> MeasuredRow:
    measured = Measurement.of(unit, [sample.value for sample in values])
    return MeasuredRow(name, measured, _strip(values, measured, scale))


def _strip(values: Iterable[MeasuredValue], measured: Measurement, scale: Scale) -> Markup:
    body = list(_grid(scale, HEIGHT))
    for sample in values:
        hover = element("title", f"{number(sample.value)} {measured.unit} in {sample.call}")
        body.append(
            element("circle", hover, cx=_percent(scale, sample.value), cy=HEIGHT / 2, r=4, class_="value")
        )
    for name, value in (("median", measured.p50), ("p95", measured.p95)):
        if value is not None:
            x = _percent(scale, value)
            hover = element("title", f"{name} {number(value)} {measured.unit}")
            body.append(element("line", hover, x1=x, x2=x, y1=3, y2=HEIGHT - 3, class_=name))
    return element("svg", *body, height=HEIGHT, width="100%", aria_hidden="true")


def _ruler(scale: Scale) -> Markup:
    ticks = [
        element("text", written(at), x=_percent(scale, at), y=13, text_anchor="middle")
        for at in scale.ticks()
    ]
    return element("svg", *ticks, class_="ruler", height=18, width="100%", aria_hidden="true")


def _grid(scale: Scale, height: int) -> Iterable[Markup]:
    for at in scale.ticks():
        x = _percent(scale, at)
        yield element("line", x1=x, x2=x, y1=0, y2=height, class_="grid")


def _percent(scale: Scale, value: float) -> str:
    return f"{min(max(scale(value), 0.0), 100.0):.2f}%"
