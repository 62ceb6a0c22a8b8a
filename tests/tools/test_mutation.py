"""Where a planted mutation is looked for first, and that it is noticed or not as it should be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.mutation import ROOT, Mutation, is_noticed, mutations_of, nearest

NEAREST = ROOT / "harness/core/nearest.py"


def test_the_nearest_tests_are_those_that_import_a_module_and_its_areas_causes() -> None:
    assert nearest(NEAREST) == ["tests/core/test_nearest.py"]
    found = nearest(ROOT / "harness/requirements/turns/detecting.py")
    assert "tests/requirements/test_detecting.py" in found
    assert found[-2:] == ["-k", "turns or not test_causes"]
    assert all((ROOT / test).exists() for test in found[:-2])


def test_a_mutation_is_a_module_that_says_something_else() -> None:
    found = list(mutations_of(NEAREST))
    assert len({each.after for each in found}) == len(found) > 5
    for each in found:
        compile(each.after, str(each.path), "exec")


@pytest.mark.parametrize(
    ("codes", "noticed", "asked"), [([1], True, 1), ([0, 1], True, 2), ([5, 0], False, 2), ([0, 0], False, 2)]
)
def test_all_tests_are_asked_only_where_the_nearest_notice_nothing(
    codes: list[int], noticed: bool, asked: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`codes`: what pytest ends with, one time after the other."""
    place = tmp_path / NEAREST.relative_to(ROOT)
    place.parent.mkdir(parents=True)
    place.write_text(NEAREST.read_text())
    seen: list[str] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        seen.append(place.read_text())
        return subprocess.CompletedProcess(command, codes[len(seen) - 1])

    monkeypatch.setattr("tools.mutation.subprocess.run", run)
    planted = Mutation(NEAREST, 1, "x", "x = 1\n")
    assert is_noticed(planted, tmp_path, 1) is noticed
    assert seen == ["x = 1\n"] * asked
    assert place.read_text() == NEAREST.read_text(), "the next mutation finds it as it was"
