from __future__ import annotations

import pytest

from harness.report.html.measures import groups, samples
from tests.report.html.runs import entry, run_of


def test_the_quantities_are_those_of_the_results_with_the_same_figures() -> None:
    run = run_of(entry(), entry(call="002-again"))
    shown = {row.name: row.measurement for group in groups(run) for row in group.rows}
    assert shown == {name: m for name, m in run.measurements().items() if m.count}


def test_stages_come_in_the_order_of_a_call_and_each_value_knows_its_call() -> None:
    run = run_of(entry(), entry(call="002-again"))
    names = [row.name for row in groups(run)[0].rows]
    assert names[:4] == ["gathering", "answer", "ice", "dtls"]
    answers = samples(run)["answer", "ms"]
    assert [s.call for s in answers] == ["001-first-turn", "002-again"]
    assert [s.value for s in answers] == pytest.approx([90, 90])
    row = next(row for row in groups(run)[0].rows if row.name == "answer")
    assert row.drawing.count("<circle") == 2
    assert "90 ms in 002-again" in row.drawing


def test_a_95th_percentile_is_drawn_from_twenty_values_on() -> None:
    few, enough = (run_of(*(entry(call=f"{i:03d}-c") for i in range(count))) for count in (19, 20))
    assert 'class="p95"' not in groups(few)[0].rows[0].drawing
    assert 'class="p95"' in groups(enough)[0].rows[0].drawing


def test_nothing_measured_is_no_group() -> None:
    assert groups(run_of()) == []
