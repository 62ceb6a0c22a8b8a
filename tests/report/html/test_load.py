from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from harness.report.html import write_load_html
from harness.report.plot import Series, line_plot

LATENESS = {"count": 5, "p50": 0.1, "p99": 12.5, "max": 40.0}
GENERATOR: dict[str, Any] = {
    "calls": 8,
    "carried": 8,
    "cpu": 0.4,
    "pacing_ms": LATENESS,
    "loop_lag_ms": LATENESS,
    "reading_ms": LATENESS,
    "placing_ms": {"count": 0, "p50": None, "p99": None, "max": None},
    "saturated": "",
}
COMMON: dict[str, Any] = {
    "schema": 1,
    "harness": {"version": "0.1.0"},
    "target": {"url": "http://127.0.0.1:1/offer", "dialect": "json", "mode": "black-box"},
    "seed": 7,
    "started_at": "2026-01-02T03:04:05.678+00:00",
    "interrupted": False,
}
FAILURE = {"row": "DC open", "failure": "connectivity.ice-connects: <b>timeout</b>", "count": 3}


def step(calls: int, outcome: str, value: float | None, *failures: dict[str, Any]) -> dict[str, Any]:
    slo = {
        "slo": "DC open p95 < 1s",
        "row": "DC open",
        "value": value,
        "samples": 30,
        "kept": outcome == "held",
    }
    return {
        "calls": calls,
        "outcome": outcome,
        "because": "" if outcome == "held" else "DC open p95 was 2 s",
        "ended": 30,
        "failed": 0,
        "rows": {},
        "slos": [slo],
        "failures": list(failures),
        "generator": GENERATOR,
    }


def capacity(**changed: Any) -> dict[str, Any]:
    return {
        **COMMON,
        "kind": "capacity",
        "verdict": "holds",
        "sentence": "holds 8 calls; breaks at 12 because DC open p95 was 2 s",
        "holds": 8,
        "breaks": 12,
        "slos": ["DC open p95 < 1s"],
        "steps": [step(12, "broken", 2000.0, FAILURE), step(8, "held", None, FAILURE)],
        **changed,
    }


def soak(**changed: Any) -> dict[str, Any]:
    series = {
        "unit": "MiB",
        "points": [[1.0, 100.0], [60.0, 130.0]],
        "median": 115.0,
        "rise": 30.0,
        "p_value": 1e-9,
        "rises": True,
    }
    return {
        **COMMON,
        "kind": "soak",
        "verdict": "violating",
        "sentence": "memory rises",
        "calls": 3,
        "seconds": 1800.0,
        "failures": [FAILURE],
        "series": {"memory": series},
        "generator": GENERATOR,
        **changed,
    }


@pytest.fixture
def page(tmp_path: Path) -> Any:
    """Write a document's page and read it."""

    def write(document: dict[str, Any]) -> str:
        plot = line_plot(
            [Series("DC open", [(8, 140), (12, 2000)])], title="p95", x_label="calls", y_label="ms"
        )
        path = write_load_html(tmp_path / "capacity.html", document, plot, "harness capacity --seed 7")
        return path.read_text(encoding="utf-8")

    return write


def test_capacity_says_what_holds_where_it_breaks_and_shows_every_step(page: Any) -> None:
    text = page(capacity())
    assert "Holds 8 calls, breaks at 12" in text
    assert text.index('<th scope="row">8</th>') < text.index('<th scope="row">12</th>')
    assert '<td class="broken">2,000</td>' in text
    assert "12 calls: DC open p95 was 2 s" in text
    assert "harness capacity --seed 7" in text
    assert 'class="plot"' in text


def test_failures_of_all_steps_are_counted_together_and_escaped(page: Any) -> None:
    text = page(capacity())
    assert '<th scope="row">6</th><td>DC open</td>' in text
    assert "&lt;b&gt;timeout" in text
    assert "<b>timeout" not in text


def test_a_saturated_generator_is_said_to_be_in_doubt(page: Any) -> None:
    broken = step(12, "saturated", None)
    broken["generator"] = {**GENERATOR, "saturated": "packets were 300 ms late"}
    text = page(capacity(verdict="inconclusive", breaks=None, steps=[broken]))
    assert '<dd class="doubt">packets were 300 ms late</dd>' in text
    assert "v-inconclusive" in text


def test_a_soak_shows_each_series_and_marks_what_rises(page: Any) -> None:
    text = page(soak())
    assert "Not steady over 30 min at 3 calls" in text
    assert "memory, MiB" in text
    assert '<td class="broken">30</td><td>&lt; 0.001</td>' in text
    assert "sparkline" in text


def test_a_series_that_was_never_measured_is_an_empty_line(page: Any) -> None:
    empty: dict[str, Any] = {
        "unit": "ms",
        "points": [],
        "median": None,
        "rise": None,
        "p_value": None,
        "rises": False,
    }
    assert "DC open, ms" in page(soak(series={"DC open": empty}))


def test_the_plot_is_taken_as_it_is(tmp_path: Path) -> None:
    path = write_load_html(tmp_path / "x.html", soak(), Markup("<svg id='plot'></svg>"), "")
    assert "<svg id='plot'></svg>" in path.read_text(encoding="utf-8")


def test_each_stage_is_drawn_over_time_with_the_steps_behind_it(page: Any) -> None:
    steps = [
        step(8, "held", 900.0) | {"since": 5.0, "seconds": 20.0},
        step(12, "broken", 2000.0) | {"since": 30.0, "seconds": 20.0},
        step(10, "saturated", None) | {"since": 60.0, "seconds": 5.0},
    ]
    rows = {"SDP POST": [[5.0, 20.0, 31.5]], "DC open": [[5.0, 140.0, 160.0], [35.0, 900.0, 2100.0]]}
    html = page(capacity(steps=steps, over_time={"seconds": 100.0, "rows": rows}))
    assert html.index('id="course"') > html.index('id="steps"')
    assert html.count('class="band o-passed"') == html.count('class="band o-failed"') == len(rows)
    assert '<rect x="50" y="0" width="200" height="48" class="band o-passed"><title>8 calls: held' in html
    assert "<title>10 calls: saturated" in html
    assert html.count('class="sparkline faint"') == len(rows)
    assert "2,100" in html


def test_what_was_not_followed_over_time_has_no_such_part(page: Any) -> None:
    assert 'id="course"' not in page(capacity())
    assert 'id="course"' not in page(soak())


def test_a_soak_of_offers_shows_its_rate_and_its_objectives(page: Any) -> None:
    slos = [{"slo": "failures < 1%", "row": "failures", "value": 2.5, "kept": False}]
    text = page(soak(unit="offers a second", calls=0.5, slos=slos))
    assert "Not steady over 30 min at 0.5 offers a second" in text
    assert '<th scope="row">failures &lt; 1%</th><td class="broken">2.5 %</td><td>no</td>' in text
    assert "Objectives" not in page(soak())
