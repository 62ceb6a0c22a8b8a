from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import programs


def test_a_program_that_is_there_is_found_by_its_path() -> None:
    assert programs.needs_program("sh").endswith("/sh")


def test_a_test_without_its_program_skips_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        programs.needs_program("no-such-program")


def test_in_ci_a_test_without_its_program_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"no-such-program is not installed, and CI must"):
        programs.needs_program("no-such-program")


def test_packages_that_are_not_installed_name_the_command_that_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CI", raising=False)
    programs.needs_installed("things", tmp_path, "make things")
    with pytest.raises(pytest.skip.Exception, match=r"things are not installed \(run: make things\)"):
        programs.needs_installed("things", tmp_path / "not-there", "make things")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"run: make things\), and CI must"):
        programs.needs_installed("things", tmp_path / "not-there", "make things")


def test_who_is_not_root_makes_no_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(pytest.skip.Exception, match="only root"):
        programs.needs_root()


def test_a_server_does_not_outlive_a_run_that_is_killed() -> None:
    programs.needs_program("setpriv")
    script = (
        "import os, subprocess\n"
        "from tests.support.programs import ending_with_us\n"
        "server = ending_with_us(['sh', '-c', 'echo $$; exec sleep 60'])\n"
        "started = subprocess.Popen(server, stdout=subprocess.PIPE)\n"
        "print(int(started.stdout.readline()), flush=True)\n"  # it runs, so it has asked to be told
        "os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=30, check=False)
    server = int(killed.stdout)
    end = time.monotonic() + 10
    while not programs.is_gone(server):
        assert time.monotonic() < end
