from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.report.files import write_run
from harness.report.saved import read_run
from harness.requirements.model import Level, Observation, Outcome, Verdict
from harness.run.model import Run


def a_run() -> Run:
    observed = Verdict(
        "turns.latency", Level.OBSERVE, Outcome.OBSERVED, observation=Observation("ms", (5.0, 7.0))
    )
    failed = Verdict("a.b", Level.MUST, Outcome.FAILED, cause="c")
    return Run(
        "http://h/", "json", "black-box", 3, "2026", (), (observed, failed), conditions={"fixtures": "f"}
    )


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    write_run(a_run(), tmp_path)
    for path in (tmp_path, tmp_path / "results.json"):
        saved = read_run(path)
        assert saved.samples == {"turns.latency": (5.0, 7.0)}
        assert saved.conditions == {"fixtures": "f"}
        assert [(v.id, v.outcome, v.cause) for v in saved.requirements][1] == ("a.b", "failed", "c")


def test_a_run_of_schema_1_is_read_too(tmp_path: Path) -> None:
    path = write_run(a_run(), tmp_path)
    old = json.loads(path.read_text()) | {"schema": 1}
    del old["caller"], old["target"]["route"]
    old["requirements"] = [
        {"mend" if k == "fix" else k: v for k, v in r.items()} for r in old["requirements"]
    ]
    path.write_text(json.dumps(old))
    assert [v.outcome for v in read_run(path).requirements][1] == "failed"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1}', "not json", '{"schema": "one"}'])
def test_a_file_that_is_no_run_is_one_clear_message(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(UsageError, match="was not written by a run"):
        read_run(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere cannot be read"):
        read_run(tmp_path / "nowhere")


def test_another_schema_is_named(tmp_path: Path) -> None:
    path = write_run(a_run(), tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": 3}))
    with pytest.raises(UsageError, match="has schema 3"):
        read_run(path)
