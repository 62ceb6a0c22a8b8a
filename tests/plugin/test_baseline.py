from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.fakes.embedded import EmbeddedPair
from harness.report.history import History
from harness.report.saved import read_run
from tests.plugin.conftest import FIRST_TURN, Recorded, Run, grey_box, planted

PATHS = ("scenarios/preflight.py",)


def test_a_run_that_is_worse_than_its_baseline_says_so_and_fails_when_asked(
    scenarios: Run, pair: EmbeddedPair, tmp_path: Path
) -> None:
    """A warning alone leaves a run conforming; that it is new is what fails this one."""
    history, baseline = tmp_path / "history.sqlite", tmp_path / "baseline"
    target = (*grey_box(pair), f"--history={history}")
    first = scenarios(*target, paths=PATHS)
    assert first.code == 0, first.output
    shutil.move(first.reports, baseline)
    again = scenarios(*target, f"--baseline={baseline}", "--fail-on-regression", paths=PATHS)
    assert again.code == 0, again.output
    assert "nothing changed beyond noise" in again.output
    with planted(pair, wrong_media_type="text/html"):
        told = scenarios(*target, f"--baseline={baseline}", paths=PATHS)
        assert told.code == 0, told.output
        failed = scenarios(*target, f"--baseline={baseline}", "--fail-on-regression", paths=PATHS)
    assert failed.code == 1, failed.output
    for run in (told, failed):
        assert "signaling.answer-media-type in preflight: passed, now warned (wrong-media-type)" in run.output
    past = History(history).like(read_run(failed.reports))
    assert [run.verdict for run in past] == ["conforming"] * 4
    assert all("answer" in run.medians for run in past)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--baseline=nowhere",), "nowhere cannot be read"),
        (("--fail-on-regression",), "has nothing to compare with"),
        (("--history=scenarios",), "scenarios cannot be used"),
    ],
)
def test_a_baseline_or_history_that_cannot_be_used_costs_no_call(
    scenarios: Run, arguments: tuple[str, ...], says: str
) -> None:
    finished = scenarios(*arguments, paths=PATHS)
    assert finished.code == 4
    assert says in finished.output
    assert "making" not in finished.output


def test_a_baseline_of_another_target_is_refused_before_the_first_call(
    scenarios: Run, embedded_run: Recorded
) -> None:
    finished = scenarios(
        "--target=http://127.0.0.1:9/session",
        f"--baseline={embedded_run.finished.reports}",
        paths=FIRST_TURN,
    )
    assert finished.code == 4
    assert "the runs cannot be compared: the target was 'the embedded relay'" in finished.output
