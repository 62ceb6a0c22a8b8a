from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = {"SDP POST", "ICE connected", "DC open", "turn detected", "first audio", "whole turn", "call"}


def locust(
    tmp_path: Path, *arguments: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, dict[str, str]]]:
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "locust",
            "-f",
            "locustfile.py",
            "--headless",
            "--users=1",
            f"--csv={tmp_path / 'load'}",
            *arguments,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    with (tmp_path / "load_stats.csv").open() as file:
        return finished, {row["Name"]: row for row in csv.DictReader(file)}


def test_every_stage_of_an_embedded_call_is_a_row_of_its_own(tmp_path: Path) -> None:
    finished, rows = locust(tmp_path, "--run-time=25s")
    assert finished.returncode == 0, finished.stderr
    assert rows.keys() >= ROWS
    assert all(int(rows[name]["Request Count"]) >= 1 for name in ROWS)
    assert rows["call"]["Failure Count"] == "0"


def test_a_target_that_refuses_is_a_failure_with_requirement_and_cause(tmp_path: Path) -> None:
    finished, rows = locust(tmp_path, "--run-time=12s", "--host=http://127.0.0.1:9/offer")
    assert finished.returncode == 1
    assert int(rows["call"]["Failure Count"]) >= 1
    assert "signaling.offer-accepted: unreachable" in (tmp_path / "load_failures.csv").read_text()
