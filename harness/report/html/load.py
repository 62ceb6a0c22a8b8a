"""The page of a capacity or a soak run, made from what its JSON says and the plot of its stages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.report.html.reliability import Fact, machine_facts
from harness.report.html.words import VERDICT_SIGNS, counted, number
from harness.report.plot.scales import scale_over
from harness.report.plot.svg import element, path
from harness.run.model import RunVerdict

# Each program has its own words for the verdict; the page has one look for each meaning.
MEANINGS = {
    "holds": RunVerdict.CONFORMING,
    "steady": RunVerdict.CONFORMING,
    "breaks": RunVerdict.VIOLATING,
    "violating": RunVerdict.VIOLATING,
}
TONES = {"held": "passed", "broken": "failed", "saturated": "inconclusive", "inconclusive": "inconclusive"}
HEIGHT, COURSE_HEIGHT = 26, 48


@dataclass(frozen=True)
class Course:
    """One stage from the first caller to the last: the highest median and the worst value, in ms."""

    name: str
    median: float
    worst: float
    drawing: Markup


@dataclass(frozen=True)
class Drift:
    """One series of a soak."""

    name: str
    unit: str
    median: float | None
    rise: float | None
    p_value: float | None
    rises: bool
    drawing: Markup


def load_view(document: Mapping[str, Any], plot: Markup, repeat: str) -> dict[str, Any]:
    """What the template `load.html.j2` is filled with. `document` is capacity.json or soak.json."""
    meaning = MEANINGS.get(document["verdict"], RunVerdict.INCONCLUSIVE)
    steps = document.get("steps", ())
    return {
        "document": document,
        "plot": plot,
        "repeat": repeat,
        "sign": VERDICT_SIGNS[meaning],
        "shown_as": meaning.value,
        "headline": _headline(document, meaning),
        "steps": sorted(steps, key=lambda step: int(step["calls"])),
        "tones": Counter()
        if not steps
        else {s["outcome"]: TONES.get(s["outcome"], "observed") for s in steps},
        "series": [
            _drift(name, each, document["seconds"]) for name, each in document.get("series", {}).items()
        ],
        "objectives": document.get("slos", ()) if document["kind"] == "soak" else (),
        "courses": list(_courses(document.get("over_time", {}), steps)),
        "failures": _failures([*steps, document]),
        "facts": [
            *_generator([part["generator"] for part in (*steps, document) if "generator" in part]),
            Fact("seed", str(document["seed"])),
            *machine_facts(document["harness"]["version"]),
        ],
    }


def _headline(document: Mapping[str, Any], meaning: RunVerdict) -> str:
    unit = document.get("unit", "")
    if document["kind"] == "soak":
        steady = {RunVerdict.CONFORMING: "Steady", RunVerdict.VIOLATING: "Not steady"}.get(
            meaning, "No verdict"
        )
        load = f"{document['calls']:g} {unit}" if unit else counted(document["calls"], "call")
        return f"{steady} over {_span(document['seconds'])} at {load}"
    held = f"{document['holds']} {unit}" if unit else counted(document["holds"], "call")
    holds = f"Holds {held}" if document["holds"] else "Holds no call for certain"
    return f"{holds}, breaks at {document['breaks']}" if document["breaks"] is not None else holds


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _failures(parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of all steps together, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for part in parts:
        for failure in part.get("failures", ()):
            counts[failure["row"], failure["failure"]] += failure["count"]
    return [{"row": row, "failure": text, "count": count} for (row, text), count in counts.most_common()]


def _generator(healths: Sequence[Mapping[str, Any]]) -> Iterator[Fact]:
    """The worst of all steps: what the numbers can be trusted for."""
    if not healths:  # it was cut short before anything was measured
        return
    saturated = next((health["saturated"] for health in healths if health["saturated"]), "")
    for name, key in (
        ("packets late", "pacing_ms"),
        ("event loop late", "loop_lag_ms"),
        ("packets read late", "reading_ms"),
        ("calls late", "placing_ms"),
    ):
        worst = {
            q: max((h[key][q] for h in healths if h[key][q] is not None), default=None)
            for q in ("p99", "max")
        }
        if worst["max"] is not None:
            yield Fact(name, f"{number(worst['p99'])} ms at p99, {number(worst['max'])} ms at worst")
    yield Fact("generator", saturated or "kept up", doubt=bool(saturated))
    carried = max(health["carried"] for health in healths)
    yield Fact("this machine", f"carried {counted(carried, 'call')} on time")


def _courses(over_time: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Iterator[Course]:
    for name, points in over_time.get("rows", {}).items():
        medians = [(at, median) for at, median, _ in points]
        worst = [(at, value) for at, _, value in points]
        scale = scale_over([value for _, value in worst], COURSE_HEIGHT - 2.0, 2.0)
        wide = 1000 / max(over_time["seconds"], 1.0)
        bands = [
            element(
                "rect",
                element("title", f"{step['calls']} calls: {step['outcome']}"),
                x=wide * step["since"],
                y=0,
                width=wide * step["seconds"],
                height=COURSE_HEIGHT,
                class_=f"band o-{TONES.get(step['outcome'], 'observed')}",
            )
            for step in steps
        ]
        lines = [
            element("path", d=path((wide * at, scale(value)) for at, value in line), class_=kind)
            for line, kind in ((worst, "sparkline faint"), (medians, "sparkline"))
        ]
        drawing = _drawing(COURSE_HEIGHT, *bands, *lines)
        yield Course(name, max(m for _, m in medians), max(w for _, w in worst), drawing)


def _drift(name: str, series: Mapping[str, Any], seconds: float) -> Drift:
    return Drift(
        name,
        series["unit"],
        series["median"],
        series["rise"],
        series["p_value"],
        bool(series["rises"]),
        _line(series["points"], seconds),
    )


def _line(points: Sequence[tuple[float, float]], seconds: float) -> Markup:
    """A line from zero on, as wide as there is room: heights are pixels, the whole time is a thousand."""
    scale = scale_over([value for _, value in points], HEIGHT - 2.0, 2.0)
    placed = [(1000 * at / max(seconds, 1.0), scale(value)) for at, value in points]
    line = element("path", d=path(placed), class_="sparkline") if placed else Markup("")
    return _drawing(HEIGHT, line)


def _drawing(height: int, *parts: Markup) -> Markup:
    return element(
        "svg",
        *parts,
        viewbox=f"0 0 1000 {height}",
        preserveaspectratio="none",
        width="100%",
        height=height,
        aria_hidden="true",
    )
