"""The embedded pair is killed in the middle of a run: the target is not blamed, and what was made is kept."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.killing import PAIR, PAIR_WAS_KILLED, Begun


def test_of_a_run_without_a_target(tmp_path: Path) -> None:
    scenarios = [f"scenarios/{name}.py" for name in ("no_credentials", "two_turns", "token_minting")]
    begun = Begun("pytest", "-p", "no:cacheprovider", *scenarios, f"--reports={tmp_path}", "--concurrency=2")
    begun.until_said("(1 of 3)")
    ended = begun.kill(PAIR)
    assert ended.code == 4, ended.said
    assert ended.said.count(f"no further call is made: {PAIR_WAS_KILLED}\n") == 1
    assert "THE HARNESS ITSELF BROKE (1)" in ended.said
    assert ended.said.count("\n  why ") == 1
    assert "the target is inconclusive" in ended.said
    assert ended.left == []
    assert ended.seconds < 30
    results = json.loads((tmp_path / "results.json").read_text())
    assert (results["verdict"], len(results["calls"])) == ("inconclusive", 3)
