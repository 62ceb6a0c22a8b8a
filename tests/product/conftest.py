"""One wheel, one environment without the checkout, and the example repository, for all tests here."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.forked import forking
from tools.installed import ROOT, Environment, build, by_links

EXAMPLE = ROOT / "examples" / "own-repository"


@pytest.fixture(scope="session", autouse=True)
def _children_start_as_a_users_do() -> Iterator[None]:
    with forking(False):
        yield


@dataclass(frozen=True)
class Built:
    """Both archives, and where the wheel is installed without any extra."""

    wheel: Path
    sdist: Path
    core: Environment


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    wheel, sdist = build(folder / "dist")
    return Built(wheel, sdist, by_links(folder / "core", wheel))


RunIn = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(built: Built) -> RunIn:
    """Run a module of the core environment in a folder."""

    def in_folder(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {
            k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "PYTHON", "HARNESS_", "COV"))
        }
        return subprocess.run(
            [str(built.core.python), "-m", *arguments],
            cwd=folder,
            env=clean | {"NO_COLOR": "1"} | environment,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    return in_folder


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example repository, elsewhere."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "own"))
