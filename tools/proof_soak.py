"""What a soak says of a target that leaks, and of one that does not, when both are known to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.fakes.relay.settings import SESSION_PATH
from tests.support.programs import ending_with_us
from tests.system.faultless import Part

MINUTES = 60
CALLS = 10
LEAK_KIB = 56  # at each offer, of which ten callers make some eighteen a minute
MEMORY = "the target's memory"
BEYOND_S = 300  # beyond its minutes, for a soak to begin and end


def prove_soak(minutes: int, seed: int) -> Part:
    """Two soaks side by side: through the embedded pair, and through a relay that leaks."""
    with tempfile.TemporaryDirectory() as folder, _leaking(seed) as (url, fake):
        asked = {"steady": (), "leaking": (url, f"--fake-openai={fake}")}
        soaks = {
            name: _begun(Path(folder) / name, minutes, seed, *arguments) for name, arguments in asked.items()
        }
        try:
            steady, leaking = (
                _ended(process, Path(folder) / name, minutes) for name, process in soaks.items()
            )
        finally:
            for process in soaks.values():
                process.kill()
    planted = LEAK_KIB * leaking["ended"] / 1024 / (leaking["seconds"] / 60)
    wrong = [f"without a leak: {steady['sentence']}"] if steady["verdict"] != "steady" else []
    if _rising(leaking) != [MEMORY]:
        wrong.append(f"with a leak: {leaking['sentence']}")
    figures = {
        "minutes": minutes,
        "calls_at_a_time": CALLS,
        **{f"without_a_leak_{name}": value for name, value in _figures(steady).items()},
        "leak_mib_a_minute": round(planted, 2),
        **{f"with_a_leak_{name}": value for name, value in _figures(leaking).items()},
        "seed": seed,
    }
    return Part(figures, wrong)


@contextmanager
def _leaking(seed: int) -> Iterator[tuple[str, str]]:
    """A relay in front of a fake: where it takes offers, and the fake's HOST:PORT."""
    with (
        _serving("fake-openai", "--vad=webrtc", f"--seed={seed}") as fake,
        _serving("relay", f"--upstream={fake}/v1", f"--leak-kib={LEAK_KIB}", f"--seed={seed}") as relay,
    ):
        yield f"{relay}{SESSION_PATH}", fake.removeprefix("http://")


@contextmanager
def _serving(name: str, *arguments: str) -> Iterator[str]:
    process = subprocess.Popen(  # noqa: S603  (our own program)
        _command(name, "--bind=127.0.0.1:0", *arguments),
        env={**os.environ, "OPENAI_API_KEY": "sk-test"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        while not (line := process.stdout.readline()).startswith("http://"):
            assert line, f"{name} did not start"
        yield line.strip()
    finally:
        process.terminate()
        process.wait()


def _begun(reports: Path, minutes: int, seed: int, *arguments: str) -> subprocess.Popen[bytes]:
    options = (f"--calls={CALLS}", f"--for={minutes}m", f"--seed={seed}", f"--reports={reports}")
    command = _command("soak", *arguments, *options)
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603  (our own program)


def _ended(process: subprocess.Popen[bytes], reports: Path, minutes: int) -> dict[str, Any]:
    code = process.wait(60 * minutes + BEYOND_S)
    if not (reports / "soak.json").exists():
        sys.exit(f"a soak ended with {code} and no report: see what it said above")
    found: dict[str, Any] = json.loads((reports / "soak.json").read_text())
    return found


def _command(*arguments: str) -> list[str]:
    return ending_with_us([sys.executable, "-m", "harness", *arguments])


def _rising(report: dict[str, Any]) -> list[str]:
    return [name for name, series in report["series"].items() if series["rises"]]


def _figures(report: dict[str, Any]) -> dict[str, Any]:
    rise = report["series"].get(MEMORY, {}).get("rise")
    return {
        "verdict": report["verdict"],
        "calls": report["ended"],
        "calls_failed": report["failed"],
        "memory_rose_by_mib": None if rise is None else round(rise, 1),
        "series_that_rise": _rising(report),
    }
