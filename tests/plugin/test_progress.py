"""What is shown while calls are made, and the line for each call behind it."""

from __future__ import annotations

import io
import re

import numpy as np
from rich.console import Console

from harness.call import Caller, Scenario
from harness.call.conduct import CallRecord
from harness.core.events import CallStarted, CallWithheld
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedPair
from harness.plugin.progress import RunLive, ended
from harness.run.checkup import Check, State
from harness.run.engine import roughly
from harness.run.stream import CallFinished, Noted, RunStarted, StageReached
from tests.plugin.conftest import FIRST_TURN, Run, grey_box, planted
from tests.support.timelines import call_started, healthy_call, timeline_of


async def plan(_caller: Caller) -> None: ...


def finished(*failed: str, timeline: Timeline | None = None) -> CallFinished:
    record = CallRecord(
        Scenario("first_turn", "A call.", plan, ()), timeline or healthy_call(), np.zeros(0, np.int16)
    )
    return CallFinished(record, failed)


def test_a_call_that_is_over_has_its_mark_and_what_was_found() -> None:
    assert ended(finished()) == ("✓", "first_turn took 8.1 s")
    assert ended(finished("a.one: x", "a.two: y")) == ("✗", "first_turn took 8.1 s: a.one: x and 1 more")
    kept_back = timeline_of([call_started(), CallWithheld(at=0.0, reason="the budget is spent")])
    assert ended(finished(timeline=kept_back)) == ("-", "first_turn was not placed: the budget is spent")


def test_how_long_all_take_is_that_of_the_busiest_place() -> None:
    assert roughly([10, 10, 10], 2) == 20
    assert roughly([35, 10, 10, 10], 2) == 35
    assert roughly([], 3) == 0


def test_a_terminal_shows_calls_under_way_those_done_and_the_time_left() -> None:
    out = Console(file=io.StringIO(), force_terminal=True, width=80, markup=False)
    record = finished().record
    started = record.timeline.first(CallStarted)
    assert started is not None
    with RunLive(out) as live:
        shown = Console(file=io.StringIO(), width=80)
        live(RunStarted("http://x/offer", "json", "embedded", 7, 2, 2, 60.0))
        live(StageReached("first_turn", started.call, Check("ICE connected", State.REACHED), record.timeline))
        live(StageReached("other", "002-other", Check("offer sent", State.REACHED), record.timeline))
        shown.print(live._shown())
        assert isinstance(shown.file, io.StringIO)
        assert re.search(r"… +first_turn +ICE connected +0 s", shown.file.getvalue())
        assert re.search(r"0 of 2 calls done, 2 under way, about (59|60) s left", shown.file.getvalue())
        live(finished("a.one: \x1b[2Jx"))
        live(Noted("asking"))
        shown.print(live._shown())
        assert "1 of 2 calls done, 1 under way" in shown.file.getvalue()
    assert isinstance(out.file, io.StringIO)
    said = out.file.getvalue()
    assert "first_turn took 8.1 s: a.one: \\u001b[2Jx" in said
    assert "\x1b[2J" not in said


def test_each_call_is_a_line_and_each_finding_is_told_once(scenarios: Run, pair: EmbeddedPair) -> None:
    """Without -v: `-q` takes back the one that all runs here have."""
    with planted(pair, offer_trimmed=True):
        run = scenarios(*grey_box(pair), "-q", paths=FIRST_TURN, CI="true")
    assert run.code == 1
    assert re.search(
        r"^  ✗ first_turn_spanish took .* s: signaling\.\S+: offer-trimmed.* \(1 of 1\)$", run.output, re.M
    )
    (line,) = re.findall(r"^scenarios/first_turn_spanish\.py ✗ .*", run.output, re.MULTILINE)
    assert "1 failed" in line
    assert "not-applicable" in line
    assert len(re.findall(r"^signaling\.offer-forwarded-intact: offer-trimmed$", run.output, re.M)) == 1
    assert run.output.count("  seen  ") >= 1, "what was seen is told with it"
    assert "  rule  " not in run.output, "pytest's own summary, which is whole where CI is set, only names it"
    assert "NOT APPLICABLE" not in run.output
    assert "FAILURES" not in run.output
