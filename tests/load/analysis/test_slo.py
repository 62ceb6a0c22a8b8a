from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.load.analysis.rows import ROWS
from harness.load.analysis.slo import DEFAULT_SLOS, FAILURES, Window, read_slo, read_slos


def window(calls: int = 0, failed: int = 0, **rows: list[float]) -> Window:
    return Window({name.replace("_", " "): values for name, values in rows.items()}, calls, failed)


@pytest.mark.parametrize(
    ("text", "row", "q", "limit"),
    [
        ("DC open p95 < 5s", "DC open", 95, 5000),
        ("dc OPEN  P95<5 s", "DC open", 95, 5000),
        ("first audio p99.9 < 1500ms", "first audio", 99.9, 1500),
        ("SDP POST median < 0.5s", "SDP POST", 50, 500),
        ("whole turn max < 9s", "whole turn", 100, 9000),
        ("failures < 1%", FAILURES, 0, 1),
        ("failures < 0.5 %", FAILURES, 0, 0.5),
    ],
)
def test_an_objective_is_one_line(text: str, row: str, q: float, limit: float) -> None:
    slo = read_slo(text)
    assert (slo.row, slo.q, slo.limit) == (row, q, limit)


@given(st.sampled_from(ROWS), st.integers(1, 99), st.integers(1, 10**6), st.sampled_from(["ms", "s"]))
def test_every_stage_quantile_and_unit_can_be_asked_for(row: str, q: int, limit: int, unit: str) -> None:
    slo = read_slo(f"{row} p{q} < {limit}{unit}")
    assert (slo.row, slo.q, slo.limit) == (row, q, limit * (1000 if unit == "s" else 1))
    assert (slo.measure, slo.bound) == (f"{row} p{q}", f"{limit}{unit}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("DC opne p95 < 5s", "did you mean DC open"),
        ("DC open p95 > 5s", "is no objective"),
        ("DC open p95 < 5", "is no objective"),
        ("failures < 5ms", "there is no stage|is no objective"),
        ("", "is no objective"),
    ],
)
def test_what_is_no_objective_is_refused_with_the_form(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_slo(text)


def test_without_any_the_defaults_hold() -> None:
    assert [slo.text for slo in read_slos(())] == list(DEFAULT_SLOS)


def test_a_percentile_at_the_limit_breaks_it_and_one_below_keeps_it() -> None:
    slo = read_slo("DC open p50 < 100ms")
    assert slo.kept(window(DC_open=[90, 99, 110]))
    assert not slo.kept(window(DC_open=[90, 100, 110]))


def test_under_twenty_samples_the_worst_is_the_p95() -> None:
    slo = read_slo("DC open p95 < 100ms")
    assert slo.value(window(DC_open=[*[50.0] * 18, 900.0])) == 900.0
    assert slo.value(window(DC_open=[*[50.0] * 19, 900.0])) == 50.0


def test_failures_are_a_part_of_the_calls_that_ended() -> None:
    slo = read_slo("failures < 10%")
    assert slo.kept(window(calls=100, failed=9))
    assert not slo.kept(window(calls=100, failed=10))
    assert slo.show(slo.value(window(calls=8, failed=1))) == "12.5 %"


def test_a_stage_that_nobody_reached_is_not_measured_and_neither_kept_nor_broken() -> None:
    slo = read_slo("first audio p95 < 1s")
    assert slo.value(window()) is None
    assert slo.kept(window()) is None
    assert slo.show(None) == "not measured"
