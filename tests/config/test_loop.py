from __future__ import annotations

import ast
import asyncio
from pathlib import Path

import pytest

from harness.config import loop
from harness.config.loop import loop_factory, run_loop

ROOT = Path(__file__).parents[2]


async def which() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_uvloop_runs_where_there_is_one_and_the_standard_loop_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run_loop(which()).startswith("uvloop")
    monkeypatch.setattr(loop, "find_spec", lambda _name: None)
    assert run_loop(which()).startswith("asyncio")


def test_the_environment_can_ask_for_the_standard_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_PLAIN_LOOP", "1")
    assert run_loop(which()).startswith("asyncio")


def test_windows_has_the_loop_that_can_read_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_PLAIN_LOOP", "1")
    monkeypatch.setattr("sys.platform", "win32")
    assert loop_factory() is asyncio.SelectorEventLoop


def test_no_other_file_chooses_a_loop() -> None:
    for file in (ROOT / "harness").rglob("*.py"):
        if file.name == "loop.py" or "behind/python" in file.as_posix():
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert "uvloop" not in {alias.name for alias in node.names}, file
            if isinstance(node, ast.Attribute):
                assert ast.unparse(node) != "asyncio.run", file
