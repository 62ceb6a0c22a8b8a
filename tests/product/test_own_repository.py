"""The example repository, elsewhere, with the installed wheel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from tests.product.conftest import RunIn
from tests.product.test_installed import PATIENT

RULE = "politeness.speaks-in-sentences"


def verdict(folder: Path, rule: str = RULE) -> dict[str, str]:
    results = json.loads((folder / "reports/latest/results.json").read_text())
    return next(v for v in results["requirements"] if v["id"] == rule)


def test_own_scenario_recording_and_requirement_are_judged(run: RunIn, example: Path) -> None:
    done = run(example, "pytest", "voice/", *PATIENT)
    assert done.returncode == 0, done.stdout
    assert verdict(example)["outcome"] == "passed"
    assert json.loads((example / "reports/latest/results.json").read_text())["verdict"] == "conforming"


def test_own_fault_is_found_by_the_own_requirement(
    run: RunIn, example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_FAULTS", str(example / "voice/faults.py"))
    with EmbeddedPair(EmbeddedOptions(fake_faults=("abrupt",))) as pair:
        options = ("--target", pair.offer_url, "--fake-openai", pair.fake, "--requirement", RULE)
        done = run(example, "pytest", "voice/", *options, *PATIENT)
    assert verdict(example)["outcome"] == "warned", done.stdout
    assert verdict(example)["cause"] == "abrupt"
    listed = run(example, "harness", "faults", HARNESS_FAULTS=str(example / "voice/faults.py"))
    assert "abrupt" in listed.stdout


@pytest.mark.parametrize("content", ["1/0", None])
def test_a_file_of_faults_that_cannot_be_run_is_refused_in_a_line(
    content: str | None, run: RunIn, tmp_path: Path
) -> None:
    if content:
        (tmp_path / "faults.py").write_text(content)
    refused = run(tmp_path, "harness", "faults", HARNESS_FAULTS="faults.py")
    assert refused.returncode == 2
    assert refused.stderr.startswith("harness: HARNESS_FAULTS: ")
    assert "Traceback" not in refused.stderr


def test_a_recording_that_is_not_there_is_named(run: RunIn, example: Path) -> None:
    (example / "voice/clips/yes.flac").unlink()
    done = run(example, "pytest", "voice/", "--area", "session", *PATIENT)
    assert done.returncode == 4  # no fault of the target
    assert "there is no recording 'clips/yes.flac' in" in done.stdout
