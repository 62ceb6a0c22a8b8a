"""The parts of the benchmark run, on sizes that say nothing about speed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.bench import __main__ as bench
from tools.bench.__main__ import PARTS, Sizes, beside_pion, compared, main, offers, one_core, write
from tools.bench.figures import FIGURES, table

SMALL = Sizes(
    plain=1,
    few=2,
    usual=2,
    many=3,
    climb=(2,),
    seconds=1.0,
    set_ups=1,
    rounds=1,
    offers=(50,),
    offers_seconds=1.0,
)


async def test_ours_plain_aiortc_and_the_floor_are_compared() -> None:
    figures, absolutes = await compared(SMALL)
    assert set(figures) == {"plain_over_ours", "ours_over_floor", "setup_plain_over_ours", "mib_per_call"}
    assert (figures["plain_over_ours"] or 0) > 1
    assert (figures["ours_over_floor"] or 0) > 1
    assert all(text.endswith("ms") for text in absolutes.values())


async def test_calls_on_one_core_are_counted_and_lose_nothing() -> None:
    figures, absolutes = await one_core(SMALL)
    assert (figures["growth"] or 0) > 0
    assert "0 lost" in absolutes["2 calls on one core"]


async def test_offers_are_sent_and_each_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "OFFER_LATE_MS", 60_000.0)
    figures, absolutes = await offers(SMALL)
    assert figures == {"offers_per_second": 50}
    assert "50 of 50" in absolutes["50 offers a second"]


async def test_without_pion_its_figures_are_null(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "is_installed", lambda: False)
    figures, absolutes = await beside_pion(SMALL)
    assert figures == {"ours_over_pion": None, "setup_ours_over_pion": None}
    assert "not installed" in absolutes["Pion"]
    assert not [line for line in table(figures, {}) if "pion" in line]


def test_the_report_has_the_figures_by_key_and_marks_a_miss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write({"plain_over_ours": 20.0, "growth": 1.5}, {"ours": "1 ms"}, tmp_path / "latest.json")
    shown = capsys.readouterr().out
    assert json.loads((tmp_path / "latest.json").read_text())["figures"]["plain_over_ours"] == 20.0
    assert [line.split()[0] for line in shown.splitlines() if "MISS" in line] == ["growth"]


def test_every_figure_has_a_line_when_it_was_measured() -> None:
    lines = "\n".join(table({figure.key: 1.0 for figure in FIGURES}, {}))
    assert all(figure.key in lines for figure in FIGURES)


def test_a_part_that_is_none_is_answered_with_those_that_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "compared", "nonsense"])
    assert main() == 2
    assert capsys.readouterr().err == f"no part is named nonsense: choose of {', '.join(PARTS)}\n"
