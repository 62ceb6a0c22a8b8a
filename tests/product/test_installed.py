"""The wheel in an environment of its own: no extra, and no checkout on the path."""

from __future__ import annotations

import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from harness.cli.init import CI, starting_files
from harness.core.extras import EXTRAS, install_line
from harness.fakes.embedded import EmbeddedPair
from tests.product.conftest import Built, RunIn
from tools.installed import ROOT

PATIENT = ("--limit", "lateness_p99_ms=1000", "--limit", "lateness_max_ms=10000", "--limit", "stalled_s=60")


@pytest.fixture(scope="module")
def pair() -> Iterator[EmbeddedPair]:
    with EmbeddedPair() as running:
        yield running


def test_both_archives_hold_what_they_should_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = wheel.namelist()
    for name in (
        "harness/scenarios/two_turns.py",
        "harness/report/schemas/harness.schema.json",
        "harness/py.typed",
    ):
        assert name in names
    assert {name.partition("/")[0] for name in names} == {"harness", "voice_relay_harness-0.1.0.dist-info"}
    with tarfile.open(built.sdist) as sdist:
        members = {name.split("/", 2)[1] for name in sdist.getnames() if "/" in name}
    assert {"harness", "scenarios", "fixtures", "tests", "examples", "AGENTS.md"} <= members
    assert not members & {".git", ".venv", "reports", ".cache"}


def test_it_runs_without_the_checkout(run: RunIn, tmp_path: Path, built: Built) -> None:
    where = run(tmp_path, "harness", "--version")
    assert where.returncode == 0, where.stderr
    (tmp_path / "where.py").write_text("import harness; print(harness.__file__)")
    assert run(tmp_path, "where").stdout.startswith(str(built.core.packages))


def test_each_file_that_init_writes_runs(run: RunIn, tmp_path: Path, pair: EmbeddedPair) -> None:
    assert run(tmp_path, "harness", "init", pair.offer_url).returncode == 0
    again = run(tmp_path, "harness", "init", pair.offer_url)
    assert again.stdout.count("which was there") == len(starting_files("", "github"))
    alone = run(tmp_path, "pytest", "--collect-only", "-q")
    assert "first_turn" not in alone.stdout, "pytest alone must make no calls"
    checked = run(tmp_path, "pytest", "voice/", "--target", "staging", *PATIENT)
    assert checked.returncode == 0, checked.stdout
    assert "the target is conforming" in checked.stdout
    assert (tmp_path / "reports/latest/report.html").exists()


def test_the_recipes_run_what_the_wheel_has(run: RunIn, tmp_path: Path, pair: EmbeddedPair) -> None:
    run(tmp_path, "harness", "init", pair.offer_url)
    github = yaml.safe_load(starting_files("", "github")[".github/workflows/voice-relay.yml"])
    steps = [step["run"] for step in github["jobs"]["check"]["steps"] if "run" in step]
    gitlab = yaml.safe_load(starting_files("", "gitlab")["voice-relay.gitlab-ci.yml"])["voice-relay"][
        "script"
    ]
    assert steps == gitlab
    install, check = steps
    assert install.startswith("pip install 'voice-relay-harness[quality]==")
    command = [word.replace("voice/", "voice/first_turn.py") for word in check.split()]
    done = run(tmp_path, *command, *PATIENT, HARNESS_TARGET=pair.offer_url)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "reports/junit.xml").exists()


@pytest.mark.parametrize("ci", CI)
def test_what_init_writes_is_what_it_says(ci: str) -> None:
    written = starting_files('https://example.com/a"b', ci)
    assert tomllib.loads(written["harness.toml"])["targets"]["staging"]["url"] == 'https://example.com/a"b'
    assert written["harness.toml"].startswith("#:schema ./harness.schema.json\n")
    assert "{" + "version}" not in "".join(written.values())
    for name, text in written.items():
        if name.endswith(".py"):
            compile(text, name, "exec")


def test_init_puts_no_secret_into_a_file(run: RunIn, tmp_path: Path) -> None:
    refused = run(tmp_path, "harness", "init", "https://example.com/offer?token=abcdefgh12345678")
    assert refused.returncode == 2
    assert "query_env" in refused.stderr
    assert "abcdefgh" not in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_our_own_scenarios_run_by_their_package(run: RunIn, tmp_path: Path) -> None:
    listed = run(tmp_path, "pytest", "--pyargs", "harness.scenarios", "--collect-only", "-q")
    for file in (ROOT / "scenarios").glob("[a-z]*.py"):
        only_a_page = file.stem.startswith("page_")
        assert (f"{file.stem}.py" in listed.stdout) != only_a_page, file.stem
    done = run(tmp_path, "pytest", "--pyargs", "harness.scenarios.preflight", *PATIENT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (("harness", "capacity", "http://127.0.0.1:9/offer"), "load"),
        (("harness", "soak", "http://127.0.0.1:9/offer"), "load"),
        (("pytest", "voice/", "--alluredir=x"), "allure"),
        (("harness", "compare", "a", "a"), "quality"),
    ],
)
def test_the_first_use_of_an_absent_extra_says_how_to_install_it(
    command: tuple[str, ...], extra: str, run: RunIn, tmp_path: Path
) -> None:
    if "compare" in command:
        _a_run(tmp_path / "a")
    refused = run(tmp_path, *command)
    assert refused.returncode in (2, 4)
    assert install_line(extra) in refused.stderr + refused.stdout
    assert "Traceback" not in refused.stderr + refused.stdout


def test_what_is_imported_is_declared() -> None:
    """pyproject.toml has a requirement for each extra's modules, and dev has all extras."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(EXTRAS) <= set(declared)
    assert "voice-relay-harness[" + ",".join(sorted(EXTRAS)) + "]" in declared["dev"]


def _a_run(folder: Path) -> None:
    from harness.report.files import write_run
    from tests.report.test_files import one_run

    write_run(one_run(), folder)
    samples = '{"schema": 2, "conditions": {}, "samples": {"answer": [1.0, 2.0, 3.0, 4.0, 5.0]}}'
    (folder / "samples.json").write_text(samples)
    text = (folder / "results.json").read_text()
    measured = '"measurements": {"answer": {"unit": "ms", "count": 5, "p50": 3, "p95": null, "max": 5}}'
    (folder / "results.json").write_text(text.replace('"measurements": {}', measured))
