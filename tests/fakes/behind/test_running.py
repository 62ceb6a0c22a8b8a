"""A command behind the fake: its requests to OpenAI reach the fake, and all else is its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from harness.core.errors import UsageError
from harness.fakes.behind.environment import OPENAI
from harness.fakes.behind.running import run_behind
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair

PROGRAMS = Path(__file__).parent / "programs"
PACKAGES = Path(__file__).parents[2] / "clients"
NOBODY = "http://127.0.0.1:9"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def fake() -> Iterator[str]:
    """Its base URL; at an address of its own it takes any key."""
    with EmbeddedPair(EmbeddedOptions(fake_at="127.0.0.1:0")) as pair:
        yield pair.fake


class Heard:
    """What was told, line by line."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)


def run(*command: str, fake: str = NOBODY, **environment: str) -> tuple[int, list[str]]:
    heard = Heard()
    code = run_behind(
        command, fake=fake, hosts=[OPENAI], tell=heard, environment={**os.environ, **environment}
    )
    return code, heard.lines


def arrived(fake: str) -> int:
    reply = httpx.get(f"{fake}/_fake/requests", trust_env=False).json()
    return len(reply["requests"])


@pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")
@pytest.mark.skipif(not (PACKAGES / "node_modules").is_dir(), reason="`make clients` installs the packages")
def test_every_client_of_node_reaches_the_fake(fake: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, lines = run("node", str(PROGRAMS / "clients.mjs"), "run", str(PACKAGES), fake=fake)
    told = json.loads(capfd.readouterr().out)
    assert told == {
        "fetch": "list",
        "fetch again": "list",
        "https": "list",
        "openai": True,
        "ws": "session.created",
        "worker": "list",
        "forked": "list",
        "another host": "ECONNREFUSED",
    }
    assert code == 0
    assert lines[-1].endswith("to api.openai.com went to the fake")


def test_every_client_of_python_reaches_the_fake(fake: str, capfd: pytest.CaptureFixture[str]) -> None:
    before = arrived(fake)
    code, _ = run(sys.executable, str(PROGRAMS / "clients.py"), fake=fake)
    told = json.loads(capfd.readouterr().out)
    assert told.pop("to_another_host") == "ConnectionRefusedError"
    answered = {name: what for name, what in told.items() if what != "not installed"}
    assert set(answered.values()) == {"list", "session.created"}, answered
    assert {
        "by_urllib",
        "by_requests",
        "by_urllib3",
        "by_aiohttp",
        "by_aiohttp on uvloop",
        "by_httpx",
        "by_httpx_async on uvloop",
        "by_openai",
    } <= answered.keys()
    assert code == 0
    assert arrived(fake) - before >= len(answered)


def test_a_connection_through_a_proxy_is_refused_rather_than_made_in_the_clear(
    capfd: pytest.CaptureFixture[str],
) -> None:
    program = """
import socket, ssl
here, there = socket.socketpair()
try:
    ssl.create_default_context().wrap_socket(here, server_hostname="api.openai.com")
except ssl.SSLError as error:
    print(error)
"""
    run(sys.executable, "-c", program)
    assert "goes through a proxy" in capfd.readouterr().out


def test_a_library_that_no_hook_reaches_is_told_by_name(tmp_path: Path) -> None:
    """Such as libcurl's: it would reach OpenAI itself, and the fake would only be quiet."""
    (tmp_path / "pycurl.py").write_text("")
    program = f"import sys, time; sys.path.insert(0, {str(tmp_path)!r}); import pycurl; time.sleep(0.5)"
    _, lines = run(sys.executable, "-c", program)
    assert lines[0].startswith("the command uses pycurl, with an encryption of its own, so its requests are")
    assert "came to the fake: the command uses pycurl" in lines[-1]


def test_another_sitecustomize_is_loaded_as_well(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('theirs')\n")
    run(
        sys.executable,
        "-c",
        "import sys; print(any('behind' in p for p in sys.path))",
        PYTHONPATH=str(tmp_path),
    )
    assert capfd.readouterr().out.split() == ["theirs", "False"]


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137), ("true", 0)])
def test_the_exit_code_is_the_commands(script: str, code: int) -> None:
    assert run("sh", "-c", script)[0] == code


def test_a_signal_reaches_the_command() -> None:
    """The shell asks us, its parent, to end, and is told so."""
    assert run("sh", "-c", "trap 'exit 3' TERM; sleep 0.5; kill -TERM $PPID; sleep 30 & wait")[0] == 3


def test_who_outlives_a_command_that_was_told_to_end_is_told_too(capfd: pytest.CaptureFixture[str]) -> None:
    """As npm's script does, which npm does not tell."""
    run("sh", "-c", "sleep 77 & echo $!; sleep 0.5; kill -TERM $PPID; wait")
    outliving = int(capfd.readouterr().out)
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(outliving).wait(10)


@pytest.mark.parametrize("command", ["no-such-command", "/", ""])
def test_a_command_that_does_not_start_is_one_line(command: str) -> None:
    with pytest.raises(UsageError, match="cannot be started") as refused:
        run(command)
    assert "\n" not in str(refused.value)


def test_a_command_without_hooks_is_told_so() -> None:
    _, lines = run("sh", "-c", "true")
    assert lines == [
        "no process of the command loaded a hook: it runs neither Node.js nor Python, or clears NODE_OPTIONS "
        f"and PYTHONPATH (python -I and -S do); give it OPENAI_BASE_URL={NOBODY}/v1 instead, where it reads "
        "that"
    ]


def test_a_command_that_asks_nothing_is_told_so() -> None:
    _, lines = run(sys.executable, "-c", "")
    assert lines[0].startswith("no request to api.openai.com so far")


def test_it_is_told_while_the_command_still_runs() -> None:
    heard = Heard()
    command = ("sh", "-c", "sleep 0.6")
    run_behind(command, fake=NOBODY, hosts=[OPENAI], tell=heard, tell_after=0.1)
    assert heard.lines[0].startswith("0.1 s: no process of the command loaded a hook")
    assert len(heard.lines) == 2


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run("sh", "-c", "true")
    assert not list(tmp_path.iterdir())
