"""The suite's calls without anything that Windows lacks: not as they are there, but without what it has not.

The loop is that of Windows (`PlainLoop`), and the library is cut down to what Windows has (`bare/`), in all
processes of a run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.elsewhere import absent, is_absent

ROOT = Path(__file__).parents[2]
SECONDS = 200

pytestmark = pytest.mark.timeout(SECONDS + 20)  # whole runs, in new processes

LACKING = ("fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty", "uvloop")
CUT_DOWN = ("os", "select", "selectors", "signal", "socket", "time")

# A turn, an interruption, offers that must be refused, a lost network, callers that come back together.
SCENARIOS = ("first_turn_english", "interruption", "bad_offers", "reconnect_short_blackout", "reconnect_herd")

IMPORT_ALL = """
import importlib, pkgutil, sys
import harness
names = [m.name for m in pkgutil.walk_packages(harness.__path__, "harness.")]
names = [name for name in names if not name.endswith("__main__") and ".behind.python" not in name]
names.sort(key=lambda name: "locust_side" in name)  # Locust changes the library for everybody
for name in names:
    importlib.import_module(name)
print(len(names))
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of such a process."""
    lacking: dict[str, list[str] | None] = dict.fromkeys(LACKING)
    lacking |= {module: sorted(absent(module, ("win32",))) for module in CUT_DOWN}
    listed = tmp_path_factory.mktemp("bare") / "absent.json"
    listed.write_text(json.dumps(lacking))
    paths = [str(Path(__file__).parent / "bare"), str(ROOT)]
    return {
        **os.environ,
        "BARE": str(listed),
        "HARNESS_PLAIN_PLATFORM": "1",
        "PYTHONPATH": os.pathsep.join(paths),
    }


@pytest.fixture(scope="module")
def reports(bare: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run of scenarios: its folder, and what it said."""
    folder = tmp_path_factory.mktemp("reports")
    chosen = [f"scenarios/{name}.py" for name in SCENARIOS]
    return folder, ran(bare, "-m", "pytest", *chosen, f"--reports={folder}", "-p", "no:cacheprovider")


def ran(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


def test_what_is_missing_on_windows_is_known() -> None:
    assert {module for module in LACKING if not is_absent(module, ("win32",))} == {"uvloop"}
    assert "killpg" in absent("os", ("win32",))
    assert "SIGHUP" in absent("signal", ("win32",))
    assert {"AF_UNIX", "SO_REUSEPORT"} <= absent("socket", ("win32",))


def test_the_harness_really_misses_it(bare: dict[str, str]) -> None:
    """A module of the harness, and only that."""
    script = """
import importlib.machinery, os, signal
space = {"__spec__": importlib.machinery.ModuleSpec("harness.some", None)}
for line in ("import fcntl", "import os; os.killpg", "from signal import SIGHUP", "import uvloop"):
    try:
        exec(line, space)
    except (ImportError, AttributeError):
        print("missing")
print(os.killpg is not None and signal.SIGHUP)
"""
    assert ran(bare, "-c", script).split() == ["missing"] * 4 + ["1"]


def test_every_module_is_imported_without_it(bare: dict[str, str]) -> None:
    assert int(ran(bare, "-W", "ignore", "-c", IMPORT_ALL)) > 400


def test_scenarios_conform_without_it(reports: tuple[Path, str]) -> None:
    _, said = reports
    assert "the target is conforming" in said
    assert f"making {len(SCENARIOS)} calls" in said


def test_a_saved_call_is_judged_without_it(bare: dict[str, str], reports: tuple[Path, str]) -> None:
    folder, _ = reports
    [call] = folder.glob("calls/*first_turn_english")
    assert "conforming" in ran(bare, "-m", "harness", "judge", str(call / "timeline.jsonl"))


def test_the_commands_are_listed_without_it(bare: dict[str, str]) -> None:
    assert "fake-openai" in ran(bare, "-m", "harness", "--help")
