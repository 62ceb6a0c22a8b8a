from __future__ import annotations

import os
import re
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from tools import suite
from tools.suite import Part, parts, run_all, summary


def doing(name: str, *programs: str, **more: object) -> Part:
    """A part that runs these texts, each in a Python of its own."""
    return Part(name, [[sys.executable, "-c", text] for text in programs], **more)  # type: ignore[arg-type]  # the test's own


async def test_every_part_is_run_and_told_of_whatever_the_others_say(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = doing("bad", "print('it is broken'); raise SystemExit(3)", "print('never said')")
    good = doing("good", "print('it is well')", "print('and goes on')")
    results = await run_all([bad, good])
    assert [(r.part.name, r.code, r.passed) for r in results] == [("bad", 3, False), ("good", 0, True)]
    said = capsys.readouterr().out
    for words in ("it is broken", "it is well", "and goes on"):
        assert words in said
    assert "never said" not in said
    told = summary(results, 419.6).splitlines()
    assert "not all passed, in 7 min 0 s" in told[1]
    assert "bad" in told[-1]
    assert told[-1].endswith("FAILED, exit code 3")


@pytest.mark.parametrize(("second", "code"), [(0, 0), (1, 1), (5, 1)])
def test_the_exit_code_says_whether_one_failed(
    second: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = [doing("first", ""), doing("second", f"raise SystemExit({second})")]
    monkeypatch.setattr(suite, "parts", lambda _arguments, _free: listed)
    monkeypatch.setattr(suite, "_preloaded", lambda: nullcontext("nowhere"))
    assert suite.main([]) == code
    assert ("===== all passed" in capsys.readouterr().out) == (code == 0)


async def test_parts_are_under_way_at_once(tmp_path: Path) -> None:
    """Each waits for what the other writes."""
    meet = "import pathlib, time\nmine, other = map(pathlib.Path, {0!r})\nmine.touch()\n"
    meet += "while not other.exists(): time.sleep(0.01)"
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    results = await run_all([doing("1", meet.format((one, two))), doing("2", meet.format((two, one)))])
    assert [r.passed for r in results] == [True, True]


async def test_what_only_computes_gives_way_to_what_is_timed(capsys: pytest.CaptureFixture[str]) -> None:
    mine = os.nice(0)
    asked = "import os; print('nice', os.nice(0))"
    await run_all([doing("timed", asked, nice=False)])
    assert f"nice {mine}\n" in capsys.readouterr().out
    await run_all([doing("other", asked)])
    assert f"nice {min(mine + int(suite.NICE), 19)}\n" in capsys.readouterr().out


@pytest.mark.parametrize(("free", "most"), [(1.0, 2), (1.6, 4), (2.0, 5)])
async def test_no_more_timed_parts_are_under_way_than_free_cores_can_serve(
    free: float, most: int, tmp_path: Path
) -> None:
    """The log of beginnings and ends never shows more than so many open."""
    log = tmp_path / "log"
    program = f"""
import os
log = os.open({str(log)!r}, os.O_APPEND | os.O_CREAT | os.O_WRONLY)
os.write(log, b"+")
os.write(log, b"-")
"""
    await run_all([doing(str(n), program, nice=False) for n in range(6)], free)
    marks = log.read_text()
    under_way = [marks[:n].count("+") - marks[:n].count("-") for n in range(1, len(marks) + 1)]
    assert len(marks) == 12
    assert max(under_way) <= most


def test_cores_that_other_programs_keep_busy_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.cpu_count", lambda: 4)
    for busy, free in ((0.0, 4.0), (25.0, 3.0), (100.0, 1.0)):
        monkeypatch.setattr("psutil.cpu_percent", lambda _seconds, busy=busy: busy)
        assert suite.free_cores() == free
    assert "-n3" in next(part for part in parts((), 3.2) if part.name == "all others").commands[0]


def test_a_selection_may_leave_nothing_of_one_part_and_the_whole_suite_may_not() -> None:
    assert all(5 not in part.passing for part in parts())
    assert {"call", "all others"} <= {part.name for part in parts(["-k", "one"]) if 5 in part.passing}


def test_every_test_is_in_exactly_one_part() -> None:
    """What no lane names is among all others, or has a command of its own that CI runs."""
    *lanes, others = [part.commands[0] for part in parts() if "pytest" in part.commands[0][0]]
    named = [word for lane in lanes for word in lane if word.startswith("tests")]
    assert len(named) == len(set(named))
    assert all((suite.ROOT / name).exists() for name in named)
    left_out = [word.partition("=")[2] for word in others if word.startswith("--ignore")]
    assert left_out == [*named, *suite.ELSEWHERE]
    makefile, ci = ((suite.ROOT / name).read_text(encoding="utf-8") for name in ("Makefile", ".ci/run"))
    for folder in suite.ELSEWHERE:
        command = re.search(rf"^([\w-]+):.*\n\t\$\(BIN\)/pytest -q {folder} ", makefile, re.MULTILINE)
        assert command is not None
        assert f" {command[1]} " in ci
    within = {(name, other) for name in named for other in named if name.startswith(f"{other}/")}
    assert within
    for name, folder in within:
        assert f"--ignore={name}" in next(lane for lane in lanes if folder in lane)
