from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from harness.cli.main import main
from harness.report.saved import SavedRun
from tests.report.saved_runs import saved_run


def write(run: SavedRun, directory: Path) -> Path:
    directory.mkdir()
    fields = {key: value for key, value in msgspec.to_builtins(run).items() if key != "more"}
    (directory / "results.json").write_text(json.dumps(fields))
    (directory / "samples.json").write_bytes(msgspec.json.encode(run.more))
    return directory


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["compare", *map(str, arguments)])
    return int(ended.value.code or 0)


def test_the_exit_code_says_whether_anything_is_worse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fine = write(saved_run(outcomes={"a.one": ("passed", None)}), tmp_path / "fine")
    broken = write(saved_run(outcomes={"a.one": ("failed", "x")}), tmp_path / "broken")
    assert run(fine, fine / "results.json") == 0
    assert "nothing changed beyond noise" in capsys.readouterr().out
    assert run(fine, broken) == 1
    assert "worse   a.one in first_turn: passed, now failed (x)" in capsys.readouterr().out
    assert run(broken, fine) == 0
    capsys.readouterr()
    assert run(fine, broken, "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert [change["kind"] for change in document["worse"]] == ["requirement"]


def test_runs_of_two_targets_are_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = write(saved_run(), tmp_path / "one")
    two = write(saved_run(url="https://other.example/"), tmp_path / "two")
    assert run(one, two) == 2
    assert "cannot be compared: the target was" in capsys.readouterr().err


def test_a_missing_run_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "nowhere", tmp_path) == 2
    assert "nowhere cannot be read" in capsys.readouterr().err
