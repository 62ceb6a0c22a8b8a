"""Runs of pytest in a process of its own, as a user has them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from harness.fakes.embedded import EmbeddedPair
from tests.support.preloaded import run as run_program

ROOT = Path(__file__).parents[2]
FIRST_TURN = ("scenarios/first_turn_spanish.py",)
Run = Callable[..., "Finished"]
# How late this machine itself is, is no finding here: it has other work.
PATIENT = ("--limit=lateness_p99_ms=1000", "--limit=lateness_max_ms=10000")


@dataclass(frozen=True)
class Finished:
    """What a run ended with, its output without colours."""

    code: int
    output: str
    reports: Path


@pytest.fixture(scope="session")
def pair() -> Iterator[EmbeddedPair]:
    """For all runs that need a target which behaves, or one of `planted`."""
    with EmbeddedPair() as running:
        yield running


@contextmanager
def planted(pair: EmbeddedPair, **faults: object) -> Iterator[None]:
    """The pair's relay has these faults meanwhile; `_` in a name stands for `-`."""
    url = f"{pair.relay}/_relay/faults"
    named = {name.replace("_", "-"): value for name, value in faults.items()}
    httpx.put(url, json=named).raise_for_status()
    try:
        yield
    finally:
        httpx.delete(url).raise_for_status()


def grey_box(pair: EmbeddedPair) -> tuple[str, str]:
    """The options of a run against the pair."""
    return f"--target={pair.offer_url}", f"--fake-openai={pair.fake}"


def scenarios_in(folder: Path) -> Run:
    """As the fixture `scenarios`, in a folder."""

    def run(*arguments: str, paths: tuple[str, ...] = ("scenarios/",), **environment: str) -> Finished:
        reports, said = folder / "reports", folder / "output.txt"
        code = run_program(
            "pytest",
            [*paths, "-v", f"--reports={reports}", "-p", "no:cacheprovider", *PATIENT, *arguments],
            cwd=ROOT,
            environment={**os.environ, "NO_COLOR": "1", "COLUMNS": "120", **environment},
            output=said,
            seconds=100,
        )
        output = re.sub(r"\x1b\[[0-9;]*m", "", said.read_text(encoding="utf-8"))
        return Finished(code, output, reports)

    return run


@pytest.fixture
def scenarios(tmp_path: Path) -> Run:
    """Run `pytest scenarios/…` with the given arguments, reports in a temporary folder."""
    return scenarios_in(tmp_path)


@dataclass(frozen=True)
class Recorded:
    """One run that conforms, for all that is asserted of such a run; where its results for others lie."""

    finished: Finished
    folder: Path

    @property
    def allure(self) -> Path:
        return self.folder / "allure"


@pytest.fixture(scope="session")
def embedded_run(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A run without a target, of FIRST_TURN with seed 7, as on a CI service of every kind."""
    folder = tmp_path_factory.mktemp("embedded")
    finished = scenarios_in(folder)(
        "--seed=7",
        f"--alluredir={folder / 'allure'}",
        f"--junitxml={folder / 'junit.xml'}",
        paths=FIRST_TURN,
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(folder / "summary.md"),
        GITLAB_CI="true",
    )
    return Recorded(finished, folder)
