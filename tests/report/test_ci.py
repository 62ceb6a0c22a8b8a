"""What GitHub and GitLab are told, by their own formats."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.report.ci import CODE_QUALITY, MOST_ANNOTATIONS, MOST_SUMMARY, tell_ci
from harness.requirements.model import Level, Outcome, Verdict
from harness.run.model import Run
from tests.report.test_files import one_run

GITHUB = {"GITHUB_ACTIONS": "true"}


def a_run(root: Path, *verdicts: Verdict) -> Run:
    run = one_run()
    calls = tuple(replace(call, place=(str(root / "voice/first.py"), 7)) for call in run.calls)
    return replace(run, calls=calls, verdicts=verdicts or run.verdicts)


def test_outside_of_ci_nothing_is_written_or_said(tmp_path: Path) -> None:
    assert tell_ci(a_run(tmp_path), tmp_path / "reports", {}) == []
    assert list(tmp_path.iterdir()) == []


def test_github_gets_an_annotation_at_the_scenarios_line_and_a_summary(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("what an earlier step wrote\n")
    environment = GITHUB | {"GITHUB_WORKSPACE": str(tmp_path), "GITHUB_STEP_SUMMARY": str(summary)}
    (line,) = tell_ci(a_run(tmp_path), tmp_path / "reports", environment)
    assert line.startswith(
        "::error file=voice/first.py,line=7,title=signaling.answer-line-endings%3A bare-line-feeds::why%0A"
    )
    written = summary.read_text()
    assert written.startswith("what an earlier step wrote\n## The target is violating\n")
    assert "**Fix:** how" in written
    assert not (tmp_path / "reports").exists()


def test_no_line_of_a_message_begins_a_command_of_its_own(tmp_path: Path) -> None:
    (found,) = one_run().verdicts
    hostile = replace(found, fix="100 %\n::stop-commands::x\r\n::add-mask::y", cause="a,b:c\n::d")
    lines = tell_ci(a_run(tmp_path, hostile), tmp_path, GITHUB)
    assert len("\n".join(lines).splitlines()) == 1
    assert "title=signaling.answer-line-endings%3A a%2Cb%3Ac%0A%3A%3Ad::" in lines[0]
    assert "100 %25%0A::stop" in lines[0]


def test_warnings_are_warnings_and_each_kind_has_its_most(tmp_path: Path) -> None:
    (found,) = one_run().verdicts
    failed = [replace(found, cause=f"cause-{n}") for n in range(2 * MOST_ANNOTATIONS)]
    warned = replace(found, outcome=Outcome.WARNED, level=Level.SHOULD)
    lines = tell_ci(a_run(tmp_path, *failed, warned), tmp_path, GITHUB)
    assert sum(line.startswith("::error") for line in lines) == MOST_ANNOTATIONS
    assert sum(line.startswith("::warning") for line in lines) == 1


def test_a_summary_that_github_would_drop_is_cut(tmp_path: Path) -> None:
    (found,) = one_run().verdicts
    long = [replace(found, cause=f"cause-{n}", explanation="x" * 100_000) for n in range(20)]
    file = tmp_path / "summary.md"
    tell_ci(a_run(tmp_path, *long), tmp_path, GITHUB | {"GITHUB_STEP_SUMMARY": str(file)})
    assert MOST_SUMMARY - 200_000 < file.stat().st_size < MOST_SUMMARY + 100
    assert "cut short" in file.read_text()[-100:]


def test_a_place_that_cannot_be_written_is_said_and_fails_nothing(tmp_path: Path) -> None:
    lines = tell_ci(a_run(tmp_path), tmp_path, GITHUB | {"GITHUB_STEP_SUMMARY": str(tmp_path)})
    assert any("cannot be written" in line for line in lines)


def test_gitlab_gets_a_code_quality_report(tmp_path: Path) -> None:
    environment = {"GITLAB_CI": "true", "CI_PROJECT_DIR": str(tmp_path)}
    assert tell_ci(a_run(tmp_path), tmp_path / "reports", environment) == []
    (entry,) = json.loads((tmp_path / "reports" / CODE_QUALITY).read_text())
    assert entry["check_name"] == "signaling.answer-line-endings"
    assert entry["location"] == {"path": "voice/first.py", "lines": {"begin": 7}}
    assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
    again = tell_ci(a_run(tmp_path), tmp_path / "reports", environment)
    assert again == []
    assert (
        json.loads((tmp_path / "reports" / CODE_QUALITY).read_text())[0]["fingerprint"]
        == entry["fingerprint"]
    )


@pytest.mark.parametrize("place", [("", 0), ("/elsewhere/first.py", 3)])
def test_a_scenario_from_elsewhere_has_no_line_here(place: tuple[str, int], tmp_path: Path) -> None:
    run = a_run(tmp_path)
    run = replace(run, calls=tuple(replace(call, place=place) for call in run.calls))
    (line,) = tell_ci(run, tmp_path, GITHUB | {"GITHUB_WORKSPACE": str(tmp_path)})
    assert line.startswith("::error title=")
