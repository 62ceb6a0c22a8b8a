"""The steps of Containerfile and action.yml, one by one, outside of a container."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import yaml

from harness.fakes.embedded import EmbeddedPair
from tests.product.conftest import Built
from tests.product.test_installed import PATIENT
from tools.installed import ROOT


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (ROOT / "Containerfile").read_text(), flags=re.MULTILINE)
    found = [line.split(maxsplit=1) for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(word, rest) for word, rest in found]


def test_what_the_container_copies_is_all_that_its_installation_needs(tmp_path: Path) -> None:
    """The wheel is built from it alone; pip would then fetch what it depends on."""
    for word, rest in instructions():
        if word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                subprocess.run(["cp", "-r", ROOT / source, tmp_path / target], check=True)
    (install,) = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert shlex.split(install)[-1] == ".[load,quality]"
    assert (tmp_path / "constraints.txt").exists()
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=tmp_path, check=True)
    assert len(list((tmp_path / "dist").glob("*.whl"))) == 1


def test_the_containers_command_is_one_of_ours(built: Built) -> None:
    said = dict(instructions())
    entry, command = (yaml.safe_load(said[word]) for word in ("ENTRYPOINT", "CMD"))
    done = subprocess.run(
        [str(built.core.python), "-m", *entry, *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "doctor" in done.stdout
    assert said["USER"] != "root"


def test_the_actions_steps_check_a_relay(built: Built, tmp_path: Path) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    setup, install, check = action["runs"]["steps"]
    assert setup["uses"].startswith("actions/setup-python@")
    assert '"$ACTION_PATH[quality]"' in install["run"]
    assert all("${{" not in step["run"] for step in (install, check)), "inputs go through the environment"
    with EmbeddedPair() as pair:
        given = {"target": pair.offer_url, "arguments": f"--smoke {' '.join(PATIENT)}"}
        inputs = {
            name: given.get(name, declared.get("default", "")) for name, declared in action["inputs"].items()
        }
        environment = {
            name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda m: inputs[m[1]], value)
            for name, value in check["env"].items()
        }
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", check["run"]],
            cwd=tmp_path,
            env={
                "PATH": f"{built.core.python.parent}:{os.environ['PATH']}",
                "HOME": str(tmp_path),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "reports/junit.xml").exists()
    assert (tmp_path / "reports/latest/report.html").exists()
