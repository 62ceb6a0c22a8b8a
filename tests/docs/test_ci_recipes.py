"""The nightly recipes: their form, and the commands they run, against a relay that is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from harness.fakes.embedded import EmbeddedPair

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / "docs" / "ci" / "github-nightly.yml"
GITLAB = ROOT / "docs" / "ci" / "gitlab-nightly.yml"
REPORTS = "reports/nightly"


def read(path: Path) -> dict[Any, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def github_commands() -> list[str]:
    return [step["run"] for step in read(GITHUB)["jobs"]["regression"]["steps"] if "run" in step]


def gitlab_commands() -> list[str]:
    job = read(GITLAB)["voice-relay-nightly"]
    return [*job["before_script"], *job["script"], *job["after_script"]]


def test_the_github_recipe_keeps_evidence_whatever_happens_and_its_secret_in_the_environment() -> None:
    workflow = read(GITHUB)
    assert {"schedule", "workflow_dispatch"} <= workflow[True].keys()  # YAML 1.1 reads the key `on` as true
    job = workflow["jobs"]["regression"]
    assert job["env"]["HARNESS_BEARER"] == "${{ secrets.VOICE_RELAY_TOKEN }}"
    uses = [step for step in job["steps"] if "uses" in step]
    assert all("@" in step["uses"] for step in uses)
    (upload,) = [step for step in uses if "upload-artifact" in step["uses"]]
    assert (upload["if"], upload["with"]["path"]) == ("always()", REPORTS)
    assert any(step["with"]["path"] == REPORTS for step in uses if "cache" in step["uses"])


def test_the_gitlab_recipe_keeps_evidence_whatever_happens_and_its_secret_in_the_environment() -> None:
    job = read(GITLAB)["voice-relay-nightly"]
    assert job["variables"]["HARNESS_BEARER"] == "$VOICE_RELAY_TOKEN"
    assert job["artifacts"]["when"] == job["cache"]["when"] == "always"
    assert job["artifacts"]["reports"]["junit"] == f"{REPORTS}/junit.xml"
    assert job["cache"]["paths"] == job["artifacts"]["paths"] == [REPORTS]


def test_both_recipes_run_the_same_night_within_a_budget() -> None:
    for commands in (github_commands(), gitlab_commands()):
        assert "make install" in commands
        assert "make nightly BUDGET_USD=1.00" in commands
        assert "make allure" in commands


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what is committed and changed, with this environment as its .venv."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def test_two_nights_leave_history_junit_allure_results_and_a_baseline(checkout: Path) -> None:
    """The second night is worse, so it fails, and the baseline stays the first night's."""
    (command,) = [c for c in github_commands() if c.startswith("make nightly")]

    def night(pair: EmbeddedPair) -> subprocess.CompletedProcess[str]:
        # What is installed is what is tested: the recipe's own `make install` has its place in CI.
        return subprocess.run(
            [*command.replace("make ", "make -o .venv/.installed ", 1).split()],
            cwd=checkout,
            env={
                **os.environ,
                "HARNESS_TARGET": pair.offer_url,
                "PYTEST_ADDOPTS": "-k preflight -p no:cacheprovider",
                "PYTHONPATH": str(checkout),
                "NO_COLOR": "1",
            },
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    reports = checkout / REPORTS
    with EmbeddedPair() as pair:
        first = night(pair)
        assert first.returncode == 0, first.stdout + first.stderr
        assert {path.name for path in reports.iterdir()} >= {
            "allure-results",
            "baseline",
            "history.sqlite",
            "junit.xml",
            "run",
        }
        assert "<testsuite" in (reports / "junit.xml").read_text()
        before = (reports / "baseline" / "results.json").read_text()
        httpx.put(f"{pair.relay}/_relay/faults", json={"wrong-media-type": "text/html"}).raise_for_status()
        second = night(pair)
    assert second.returncode != 0
    assert "passed, now warned (wrong-media-type)" in second.stdout
    assert (reports / "baseline" / "results.json").read_text() == before
