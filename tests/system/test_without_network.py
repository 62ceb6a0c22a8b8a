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
# How it sounds hangs on what else the machine does.
HEARD_ELSEWHERE = [f"--area={area}" for area in ("signaling", "connectivity", "session", "turns", "security")]
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


pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Ended]]:
    """Those side by side that mostly wait; the others one after the other, for they take a core."""
    folder = tmp_path_factory.mktemp("alone")
    commands = {
        "scenarios": ("pytest", "-p", "no:cacheprovider", *SCENARIOS, *HEARD_ELSEWHERE, *PATIENT),
        "demo": ("harness", "demo"),
        "doctor": ("harness", "doctor", OFFERS, f"--fake-openai={FAKE}"),
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
        begun: dict[str, subprocess.Popen[bytes]] = {}
        found: dict[str, Ended] = {}
        try:
            for together in (("scenarios", "load"), ("demo",), ("doctor",)):
                for name in together:
                    reports = [f"--reports={folder / name}"] if name in ("scenarios", "doctor") else []
                    begun[name] = begin(machine, folder / f"{name}.txt", *commands[name], *reports)
                for name in together:
                    code = begun[name].wait(100)
                    found[name] = Ended(code, (folder / f"{name}.txt").read_text(), folder / name)
            yield found
        finally:
            for process in (relay, *begun.values()):
                process.kill()
                process.wait()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("scenarios", "the target is conforming"),
        ("demo", "5 of 5 faults named as planted"),
        ("load", "the generator had 2 calls at most"),
    ],
)
def test_all_goes_well(name: str, told: str, ended: Mapping[str, Ended]) -> None:
    found = ended[name]
    assert found.code == 0, found.said
    assert told in found.said


def test_the_doctor_reaches_every_stage(ended: Mapping[str, Ended]) -> None:
    found = ended["doctor"]
    assert "✓ " in found.said.partition("reply done")[0].splitlines()[-1], found.said
    assert found.code == 0 or (found.code == 4 and "this machine is too busy" in found.said), found.said


@pytest.mark.parametrize("name", ["scenarios", "doctor"])
def test_nobody_is_waited_for(name: str, ended: Mapping[str, Ended]) -> None:
    measured = json.loads((ended[name].reports / "samples.json").read_text())
    assert max(measured["samples"]["gathering"]) < MOST_GATHERING_MS
