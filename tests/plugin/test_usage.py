"""A run of a target with a usage endpoint, as a user has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.fakes.embedded import EmbeddedPair
from tests.plugin.conftest import FIRST_TURN, Finished, Run
from tests.support.usage import FakeUsage, fake_usage


def run_against(
    usage: FakeUsage, pair: EmbeddedPair, scenarios: Run, folder: Path, limits: str = ""
) -> Finished:
    config = folder / "harness.toml"
    config.write_text(
        f'[targets.counted]\nurl = "{pair.offer_url}"\ndialect = "json"\nfake_openai = "{pair.fake}"\n'
        f'[targets.counted.usage]\nurl = "{usage.url}"\nfield = "{usage.NUMBER}"\nsettle_s = 1\n{limits}'
    )
    return scenarios(
        *("--target=counted", f"--config={config}", "--requirement=cost.usage-agrees"),
        "--requirement=cost.usage-reported",
        paths=FIRST_TURN,
    )


@pytest.mark.parametrize(
    ("limits", "code", "verdict"),
    [
        ("", 0, "conforming"),
        ("[targets.counted.limits]\nusage_difference_percent = 5\n", 4, "inconclusive"),
    ],
    ids=["without a limit", "with a limit"],
)
def test_an_endpoint_that_fails_is_named_and_the_relay_is_not_blamed(
    limits: str, code: int, verdict: str, scenarios: Run, pair: EmbeddedPair, tmp_path: Path
) -> None:
    """Where a limit is configured, the run does not pass for one that kept it."""
    with fake_usage(failing=True) as usage:
        finished = run_against(usage, pair, scenarios, tmp_path, limits)
    assert finished.code == code, finished.output
    assert f"before the calls, the usage hook failed: GET {usage.url} answered 503" in finished.output
    assert f"the target is {verdict}" in finished.output
    results = json.loads((finished.reports / "results.json").read_text())
    assert results["verdict"] == verdict


def test_what_the_target_counts_is_compared_with_what_the_run_used(
    scenarios: Run, pair: EmbeddedPair, tmp_path: Path
) -> None:
    with fake_usage(5.0, 6.0) as usage:
        finished = run_against(usage, pair, scenarios, tmp_path)
    assert finished.code == 0, finished.output
    assert "run::cost.usage-agrees OBSERVED" in finished.output
    results = json.loads((finished.reports / "results.json").read_text())
    (found,) = [r for r in results["requirements"] if r["id"] == "cost.usage-agrees"]
    assert found["explanation"].startswith("its endpoint counted 1.000000 USD, the responses say 0.0")
    assert results["measurements"]["cost.usage-agrees"]["max"] < 1
