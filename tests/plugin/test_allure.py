"""What Allure 3 makes of a run: its own command line generates the report that is read here."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from harness.fakes.embedded import EmbeddedPair
from tests.plugin.conftest import ROOT, Recorded, Run, grey_box, planted
from tests.support.programs import needs_program

VERSION = "3.18.0"
PATHS = ("scenarios/session_update_only.py", "scenarios/preflight.py")


@pytest.fixture(scope="session")
def allure3() -> Path:
    """Allure's command line from npm, kept between runs."""
    needs_program("node")
    home = ROOT / ".cache" / f"allure-{VERSION}"
    program = home / "node_modules" / ".bin" / "allure"
    if not program.exists():
        home.mkdir(parents=True, exist_ok=True)
        install = [
            needs_program("npm"),
            "install",
            "--no-audit",
            "--no-fund",
            "--no-package-lock",
            "--prefix",
        ]
        subprocess.run(
            [*install, str(home), f"allure@{VERSION}"], check=True, capture_output=True, timeout=100
        )
    return program


@dataclass(frozen=True)
class Report:
    """A generated report's data."""

    directory: Path

    def read(self, name: str) -> Any:
        return json.loads((self.directory / name).read_text(encoding="utf-8"))

    def tests(self) -> dict[str, dict[str, Any]]:
        """Results by requirement and scenario."""
        found = [
            json.loads(path.read_text()) for path in (self.directory / "data/test-results").glob("*.json")
        ]
        return {test["fullName"].rpartition("#")[2] + "@" + story(test): test for test in found}


def story(test: dict[str, Any]) -> str:
    return str(next(label["value"] for label in test["labels"] if label["name"] == "story"))


def generate(program: Path, results: Path, work: Path) -> Report:
    """What a nightly job runs."""
    output = work / "report"
    shutil.rmtree(output, ignore_errors=True)
    subprocess.run(
        [program, "generate", "-c", results / "allurerc.json", "-o", output, "--cwd", work, results],
        cwd=work,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return Report(output)


def walk(nodes: dict[str, Any]) -> Iterator[str]:
    return chain(str(node.get("name")) for node in nodes.values())


def test_allure_3_shows_environment_categories_by_cause_steps_evidence_and_history(
    allure3: Path, scenarios: Run, pair: EmbeddedPair, tmp_path: Path
) -> None:
    """Two nights: the relay conforms in the first, and loses the session's type in the second."""
    night = (f"--alluredir={tmp_path / 'results'}", "--clean-alluredir", "--seed=7")
    target = (*grey_box(pair), *night)
    assert scenarios(*target, paths=PATHS).code == 0
    generate(allure3, tmp_path / "results", tmp_path)
    with planted(pair, session_type_missing=True):
        assert scenarios(*target, paths=PATHS).code == 1
    report = generate(allure3, tmp_path / "results", tmp_path)

    environment = {entry["name"]: entry["values"] for entry in report.read("widgets/allure_environment.json")}
    assert environment["mode"] == ["grey-box"]
    assert environment["seed"] == ["7"]
    assert environment["verdict"] == ["violating"]

    names = set(walk(report.read("widgets/categories.json")["nodes"]))
    assert "The target broke a rule" in names
    assert any("signaling.session-forwarded: session-type-missing" in name for name in names), names

    tests = report.tests()
    failed = next(
        test for name, test in tests.items() if name.startswith("signaling.session-forwarded@A page")
    )
    assert failed["status"] == "failed"
    steps = [step for step in failed["steps"] if step["type"] == "step"]
    assert [step["name"].partition(": ")[2] for step in steps][-1] == "hang up"
    assert all(step["stop"] >= step["start"] for step in steps)
    assert steps[-1]["start"] - steps[0]["start"] < 60_000
    attached = {step["link"]["name"] for step in failed["steps"] if step["type"] == "attachment"}
    assert attached == {"offer.sdp", "events", "timeline.jsonl"}
    assert failed["links"]
    labels = {(label["name"], label["value"]) for label in failed["labels"]}
    assert {("feature", "signaling"), ("severity", "critical")} <= labels
    assert failed["history"], "the first night is not in the second night's report"


def test_the_evidence_of_a_call_is_written_once(embedded_run: Recorded) -> None:
    results = embedded_run.allure
    found = [json.loads(path.read_text()) for path in results.glob("*-result.json")]
    sources = [{a["name"]: a["source"] for a in test["attachments"]} for test in found]
    assert len(sources) > 10
    assert all(source == sources[0] for source in sources)
    assert all((results / source).exists() for source in sources[0].values())
