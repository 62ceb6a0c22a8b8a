"""Our options beside those of another project, whose conftest may have the same names."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from harness.config.options import options_of
from harness.plugin.options import texts_of
from tests.support import preloaded

URL = "http://127.0.0.1:9/offer"

# Each in a conftest of its own: an option of theirs, the command line, and what their test must find.
THEIRS = {
    "target": ('parser.addoption("--target", default="none")', ["--target=x86"], "x86"),
    "seed": ('parser.addoption("--seed", type=int)', ["--seed", "7"], 7),
    "config": ('parser.addoption("--config", action="store")', ["--config", "a.ini"], "a.ini"),
    "reports": ('parser.getgroup("ours").addoption("--reports", action="store_true")', ["--reports"], True),
    "limit": ('parser.addoption("--limit", action="append")', ["--limit=1", "--limit=2"], ["1", "2"]),
    "offer": ('parser.addoption("--offer", nargs=2)', ["--offer", "a", "b"], ["a", "b"]),
    "concurrency": ('parser.addoption("--concurrency", default="2")', [], "2"),
    "baseline": ('parser.addoption("--baseline", choices=["a", "b"])', ["--baseline=b"], "b"),
    "silent": ('parser.addoption("-Q", "--silent", action="count", dest="silent")', ["-QQ", "--silent"], 3),
    "area": ('parser.addoption("--area", type=float)', [], None),
}


def parsed(*arguments: str) -> pytest.Config:
    """The configuration that pytest reads off a command line, in this folder."""
    return pytest.Config.fromdictargs({}, list(arguments))


def parsed_in(folder: Path, *arguments: str) -> pytest.Config:
    """The same of a project that is not ours."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    here = (f"--config-file={folder / 'pytest.ini'}", "--import-mode=importlib", str(folder))
    return parsed(*here, *arguments)


@pytest.mark.parametrize("name", THEIRS)
def test_a_conftest_with_an_option_of_our_name_keeps_it(name: str, tmp_path: Path) -> None:
    declared, arguments, value = THEIRS[name]
    (tmp_path / "conftest.py").write_text(f"def pytest_addoption(parser):\n    {declared}\n")
    config = parsed_in(tmp_path, *arguments)
    assert config.getoption(name) == value
    assert not any(texts_of(config).values()), "none of ours was given"


def test_one_of_ours_is_meant_beside_one_of_theirs(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        'def pytest_addoption(parser):\n    parser.addoption("--target")\n    parser.addoption("--seed")\n'
    )
    option = parsed_in(tmp_path, "--target=x86", "--voice-target=here", "--area=audio").option
    assert (option.target, option.voice_target) == ("x86", "here")
    assert (option.seed, option.voice_seed, option.voice_area) == (None, None, ["audio"])


def test_a_conftest_that_comes_after_our_options_were_read_is_no_trouble(tmp_path: Path) -> None:
    """Deep in their tree, it is loaded when tests are collected."""
    deep = tmp_path / "tests" / "deep"
    deep.mkdir(parents=True)
    (deep / "conftest.py").write_text('def pytest_addoption(parser):\n    parser.addoption("--target")\n')
    (deep / "test_theirs.py").write_text("def test_it():\n    pass\n")
    code, said = another_pytest(tmp_path, "--seed=7")
    assert code == 0, said


def test_an_option_that_is_nearly_ours_is_answered_in_one_line(tmp_path: Path) -> None:
    code, said = another_pytest(tmp_path, "--dialct=sdp")
    assert code == 4
    assert said.strip() == "ERROR: there is no option --dialct (did you mean --dialect?)"


def another_pytest(folder: Path, *arguments: str) -> tuple[int, str]:
    """A run in a project that is not ours."""
    said = folder / "said.txt"
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:pytest_locust -p no:locust\n")
    code = preloaded.run(
        "pytest",
        ["-p", "no:cacheprovider", *arguments],
        cwd=folder,
        environment={**os.environ, "NO_COLOR": "1"},
        output=said,
        seconds=60,
    )
    return code, said.read_text()


def test_short_and_long_names_are_the_same_options() -> None:
    short = texts_of(parsed("--dialect=sdp", "--limit=gap_ms=1", "--limit", "stoi=1", "--silent", "--strict"))
    long = texts_of(
        parsed("--voice-dialect", "sdp", "--voice-limit=gap_ms=1", "--voice-limit=stoi=1", "--voice-silent")
    )
    assert short == {**long, "strict": True}
    assert (short["dialect"], short["limits"], short["silent"]) == ("sdp", ["gap_ms=1", "stoi=1"], True)


def test_a_value_of_ours_is_no_path_to_collect(tmp_path: Path) -> None:
    config = parsed("--reports", str(tmp_path), "--target", URL, "tests/plugin")
    assert config.args == ["tests/plugin"]
    assert texts_of(config)["reports"] == str(tmp_path)


def test_options_are_read_from_a_file_of_arguments(tmp_path: Path) -> None:
    file = tmp_path / "arguments.txt"
    file.write_text("--dialect=sdp\n--seed\n7\n")
    texts = texts_of(parsed(f"@{file}"))
    assert (texts["dialect"], texts["seed"]) == ("sdp", "7")


def test_only_long_names_are_registered_and_no_name_in_the_namespace_is_short() -> None:
    config = parsed()
    ours: argparse.Namespace = config.option
    for option in options_of("pytest"):
        assert hasattr(ours, f"voice_{option.field}")
        assert not hasattr(ours, option.field) or option.field == "strict"
