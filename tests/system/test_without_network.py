"""A machine with loopback alone, and IPv4 alone: what needs nobody else works, and waits for nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.load.locusts import PATIENT as LATE_IS_FINE
from tests.load.locusts import ROOT
from tests.support.netns import Namespace, Namespaces, run
from tests.support.programs import ending_with_us

RELAY, FAKE = "127.0.0.1:7001", "127.0.0.1:7002"  # nobody else is on this machine
OFFERS = f"http://{RELAY}/api/voice/webrtc/session"
SCENARIOS = [f"scenarios/{name}.py" for name in ("first_turn_english", "bad_offers", "no_credentials")]
PATIENT = (*LATE_IS_FINE, "--limit=lateness_max_ms=10000", "--limit=stalled_s=30")
MOST_GATHERING_MS = 1000.0  # where a server is asked in vain, it takes five seconds


@dataclass(frozen=True)
class Ended:
    code: int
    said: str
    reports: Path


def begin(machine: Namespace, said: Path, *command: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "OPENAI_API_KEY": "sk-test"}
    with said.open("w") as output:
        return subprocess.Popen(
            ending_with_us([*machine.prefix, sys.executable, "-m", *command]),
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Ended]]:
    """All of them side by side; they mostly wait."""
    folder = tmp_path_factory.mktemp("alone")
    commands = {
        "scenarios": ("pytest", "-p", "no:cacheprovider", *SCENARIOS, *PATIENT),
        "demo": ("harness", "demo"),
        "doctor": ("harness", "doctor", OFFERS, f"--fake-openai={FAKE}", *PATIENT),
        "load": (
            *("locust", "-f", "locustfile.py", "--headless", "--users=2", "--calls=2", "--turns=1"),
            *(*LATE_IS_FINE, "--seed=1", "SteadyCaller"),
        ),
    }
    with Namespaces() as made:
        machine = made.add("alone")
        assert run([*machine.prefix, "ip", "route"]) == ""
        assert "::1" not in run([*machine.prefix, "ip", "address"])
        serving = ("harness", "relay", f"--bind={RELAY}", f"--upstream=http://{FAKE}/v1")
        relay = begin(machine, folder / "relay.txt", *serving)
        until = time.monotonic() + 60
        while "http://" not in (folder / "relay.txt").read_text():
            assert time.monotonic() < until
            time.sleep(0.05)
        begun = {
            name: begin(
                machine,
                folder / f"{name}.txt",
                *command,
                *([f"--reports={folder / name}"] if name in ("scenarios", "doctor") else []),
            )
            for name, command in commands.items()
        }
        try:
            yield {
                name: Ended(process.wait(100), (folder / f"{name}.txt").read_text(), folder / name)
                for name, process in begun.items()
            }
        finally:
            for process in (relay, *begun.values()):
                process.kill()
                process.wait()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("scenarios", "the target is conforming"),
        ("demo", "5 of 5 faults named as planted"),
        ("doctor", "the relay is conforming"),
        ("load", "the generator had 2 calls at most"),
    ],
)
def test_all_goes_well(name: str, told: str, ended: Mapping[str, Ended]) -> None:
    found = ended[name]
    assert found.code == 0, found.said
    assert told in found.said


@pytest.mark.parametrize("name", ["scenarios", "doctor"])
def test_nobody_is_waited_for(name: str, ended: Mapping[str, Ended]) -> None:
    measured = json.loads((ended[name].reports / "samples.json").read_text())
    assert max(measured["samples"]["gathering"]) < MOST_GATHERING_MS
