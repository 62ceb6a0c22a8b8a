"""Runs of pytest in a process of its own, as a user has them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Run = Callable[..., "Finished"]


@dataclass(frozen=True)
class Finished:
    """What a run ended with, its output without colours."""

    code: int
    output: str
    reports: Path


@pytest.fixture
def scenarios(tmp_path: Path) -> Run:
    """Run `pytest scenarios/…` with the given arguments, reports in a temporary folder."""

    def run(*arguments: str, paths: tuple[str, ...] = ("scenarios/",), **environment: str) -> Finished:
        reports = tmp_path / "reports"
        finished = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                *paths,
                f"--reports={reports}",
                "-p",
                "no:cacheprovider",
                *arguments,
            ],
            cwd=ROOT,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120", **environment},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        output = re.sub(r"\x1b\[[0-9;]*m", "", finished.stdout + finished.stderr)
        return Finished(finished.returncode, output, reports)

    return run
