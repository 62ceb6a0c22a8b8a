from __future__ import annotations

import os
from pathlib import Path

from harness.fakes.behind.environment import NODE, PYTHON, hooked

SEEN = Path("/tmp/seen")


def made(**environment: str) -> dict[str, str]:
    return hooked(environment, fake="http://127.0.0.1:8089", hosts=["API.openai.com"], seen=SEEN)


def test_both_hooks_are_there() -> None:
    assert made()["NODE_OPTIONS"] == f'--require "{NODE}"'
    assert made()["PYTHONPATH"] == str(PYTHON)
    assert made()["HARNESS_BEHIND_HOSTS"] == "api.openai.com"
    assert NODE.is_file()
    assert (PYTHON / "sitecustomize.py").is_file()


def test_what_stood_in_the_variables_still_does() -> None:
    environment = made(NODE_OPTIONS="--no-warnings", PYTHONPATH="/lib/of/theirs", EDITOR="ed")
    assert environment["NODE_OPTIONS"].startswith("--no-warnings --require ")
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(PYTHON), "/lib/of/theirs"]
    assert environment["EDITOR"] == "ed"


def test_a_proxy_is_passed_by_for_these_hosts_alone() -> None:
    environment = made(HTTPS_PROXY="http://proxy:3128", NO_PROXY="localhost")
    assert environment["NO_PROXY"] == "localhost,API.openai.com"
    assert environment["HTTPS_PROXY"] == "http://proxy:3128"
    assert "NO_PROXY" not in made()
