from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from harness.cli.main import cli
from harness.report.schemas import NAMES


@pytest.mark.parametrize("document", NAMES)
def test_a_schema_is_printed(document: str) -> None:
    result = CliRunner().invoke(cli, ["schema", document])
    assert (result.exit_code, json.loads(result.output)["title"]) == (0, document)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_what_there_is(shell: str) -> None:
    environment = os.environ | {"_HARNESS_COMPLETE": f"{shell}_source"}
    run = [sys.executable, "-c", "from harness.cli.main import cli; cli(prog_name='harness')"]
    said = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=60, check=False)
    if shell == "bash" and "version" in said.stderr:
        pytest.skip("completion needs a newer bash")
    assert "_HARNESS_COMPLETE=" in said.stdout
    environment |= {"_HARNESS_COMPLETE": "zsh_complete", "COMP_WORDS": "harness do", "COMP_CWORD": "1"}
    said = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert "doctor" in said.stdout
