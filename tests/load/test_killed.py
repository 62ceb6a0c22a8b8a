"""A process of ours that is killed ends the run, in words, with our exit code; what was measured is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import pytest

from tests.support.killing import PAIR, PAIR_WAS_KILLED, Begun, Ended

CALL_PROCESS = "harness.load.call_process"
CALL_PROCESS_WAS_KILLED = "the call process died (signal 9), and its calls with it"
LATE = "--limit=lateness_p99_ms=5000"
ONE_STEP = ("--start=1", "--most=1", "--step-seconds=300", "--settle-seconds=0")
RUNS = {
    "a soak": ("soak", "--calls=1", "--for=10m", "--turns=1"),
    "a search for calls": ("capacity", *ONE_STEP, "--turns=1"),
    "a soak by offers": ("soak", "--arrivals", "--rate=2", "--for=10m"),
    "a search for offers": ("capacity", "--arrivals", *ONE_STEP),
    "offers beside a caller": ("capacity", "--arrivals", *ONE_STEP, "--talking=1", "--turns=1"),
}
LOST = {
    "a soak": (CALL_PROCESS, CALL_PROCESS_WAS_KILLED),
    "a search for calls": (PAIR, PAIR_WAS_KILLED),
    "a soak by offers": (PAIR, PAIR_WAS_KILLED),
    "a search for offers": (PAIR, PAIR_WAS_KILLED),
    "offers beside a caller": (CALL_PROCESS, CALL_PROCESS_WAS_KILLED),
}
BEGAN = 2.0  # s: by then the many are under way


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Ended, Path]]]:
    """All side by side: they mostly wait."""
    folders = {run: tmp_path_factory.mktemp("killed") for run in RUNS}
    begun = {
        run: Begun("harness", *command, LATE, f"--reports={folders[run]}") for run, command in RUNS.items()
    }
    found = {}
    try:
        for run, each in begun.items():
            each.until_said("seed")  # said once the first call, before the many, is over
            sleep(BEGAN)
            found[run] = each.kill(LOST[run][0]), folders[run] / f"{RUNS[run][0]}.json"
        yield found
    finally:
        for each in begun.values():
            each.process.kill()


@pytest.mark.parametrize("run", RUNS)
def test_a_process_that_is_killed_is_ours_and_ends_the_run(
    run: str, ended: dict[str, tuple[Ended, Path]]
) -> None:
    found, report = ended[run]
    assert found.code == 4, found.said
    assert LOST[run][1] in found.said.splitlines()[-2]
    assert "Traceback" not in found.said
    kept = json.loads(report.read_text())
    assert kept["verdict"] in ("broken", "inconclusive")
    assert not kept.get("failed"), "what was under way is no failure of the target's"
    assert found.left == []
    assert found.seconds < 50, "long before it was to end"
