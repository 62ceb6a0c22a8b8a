"""A machine that gives us too little: said as ours, in one line, with what to do about it."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("files", [9, 16, 40])
def test_too_few_descriptors_are_said_before_the_first_call(files: int) -> None:
    command = f"{sys.executable} -m harness doctor http://127.0.0.1:9/offer"
    ended = subprocess.run(
        ["bash", "-c", f"ulimit -n {files}; exec {command}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 4
    (said,) = (ended.stdout + ended.stderr).splitlines()
    assert said.startswith(
        f"harness: this process may open {files} files, and a call needs more (raise it: ulimit"
    )
