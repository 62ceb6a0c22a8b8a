"""Programs and rights that a system test needs: without them it skips, but in CI it fails."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest


def needs_program(name: str) -> str:
    """The path of a program; a test that needs it skips where there is none, and fails in CI."""
    path = found_program(name)
    if path is None:
        _absent(f"the program {name} is not installed")
    return path


def found_program(name: str) -> str | None:
    """The path of a program, or None."""
    # Debian keeps administrators' programs in directories that an ordinary user's PATH leaves out.
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


def needs_file(pattern: str) -> str:
    """The first file that matches, from the root; skips and fails as `needs_program` does."""
    found = sorted(Path("/").glob(pattern))
    if not found:
        _absent(f"there is no /{pattern}")
    return str(found[0])


def ending_with_us(program: Sequence[str]) -> list[str]:
    """The command of a server that does not outlive this process, however that ends.

    Linux tells it (prctl(2), PR_SET_PDEATHSIG); elsewhere it lives on where this process is killed.
    """
    setpriv = found_program("setpriv")
    return [*((setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()), *program]


def is_gone(process: int) -> bool:
    """No such process, or one that only waits to be reaped."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def needs_root() -> None:
    """Skip a test that makes networks where this is not root; fail it in CI."""
    if os.geteuid() != 0:
        _absent("only root may make network namespaces")


def needs_installed(what: str, sign: Path, command: str) -> None:
    """Skip a test whose packages are not installed, with the command that does; fail it in CI.

    `sign`: the file that is there once they are.
    """
    if not sign.exists():
        _absent(f"{what} are not installed (run: {command})")


def _absent(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and CI must run this test", pytrace=False)
    pytest.skip(reason)
