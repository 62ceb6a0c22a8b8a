"""A process of ours that is killed ends the run, in words, with our exit code; what was measured is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import pytest

from tests.support.killing import PAIR, PAIR_WAS_KILLED, Begun, Ended

CALL_PROCESS = "harness.load.call_process"
PATIENT = ("--limit=lateness_p99_ms=5000", "--turns=1")
SOAK = ("soak", "--calls=1", "--for=10m")
CAPACITY = ("capacity", "--start=1", "--most=1", "--step-seconds=300", "--settle-seconds=0")
LOST = {
    SOAK: (CALL_PROCESS, "the call process died (signal 9), and its calls with it"),
    CAPACITY: (PAIR, PAIR_WAS_KILLED),
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Ended, Path]]]:
    """Both side by side: they mostly wait."""
    folders = {command: tmp_path_factory.mktemp(command[0]) for command in LOST}
    begun = {
        command: Begun("harness", *command, *PATIENT, f"--reports={folder}")
        for command, folder in folders.items()
    }
    found = {}
    try:
        for command, each in begun.items():
            each.until_said("seed")  # said once the first call, before the many, is over
            sleep(2)
            found[command[0]] = each.kill(LOST[command][0]), folders[command] / f"{command[0]}.json"
        yield found
    finally:
        for each in begun.values():
            each.process.kill()


@pytest.mark.parametrize("command", LOST, ids=lambda command: command[0])
def test_a_process_that_is_killed_is_ours_and_ends_the_run(
    command: tuple[str, ...], ended: dict[str, tuple[Ended, Path]]
) -> None:
    found, report = ended[command[0]]
    assert found.code == 4, found.said
    assert LOST[command][1] in found.said.splitlines()[-2]
    assert "Traceback" not in found.said
    kept = json.loads(report.read_text())
    assert kept["verdict"] in ("broken", "inconclusive")
    assert not kept.get("failed"), "what was under way is no failure of the target's"
    assert found.left == []
    assert found.seconds < 50, "long before it was to end"
