from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import msgspec
import psutil
import pytest

from harness.fakes.children import Child
from harness.load.analysis.health import SUSTAINED, Health
from harness.load.call_process.plans import PLANS
from harness.load.messages import (
    CallMade,
    Cancel,
    GeneratorMeasured,
    LoadSettings,
    Order,
    Ready,
    Refused,
    Report,
    StageDone,
    line,
    read_report,
)
from tests.support.forked import ForkedChild


class Calling:
    """A call process, spoken to as Locust speaks to it."""

    def __init__(self, process: Child) -> None:
        self.process = process
        self.reports: list[Report] = []

    def tell(self, *messages: LoadSettings | Order | Cancel) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(map(line, messages)))
        self.process.stdin.flush()

    def until(self, kind: type[Report], count: int = 1) -> list[Report]:
        assert self.process.stdout is not None
        while sum(isinstance(r, kind) for r in self.reports) < count:
            text = self.process.stdout.readline()
            assert text, "the call process ended"
            self.reports.append(read_report(text))
        return [r for r in self.reports if isinstance(r, kind)]

    def stages(self, order: int) -> list[StageDone]:
        return [r for r in self.reports if isinstance(r, StageDone) and r.id == order]


@contextmanager
def calling(settings: LoadSettings, *program: str) -> Iterator[Calling]:
    process: Child
    if program:
        process = subprocess.Popen([sys.executable, *program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    else:
        with tempfile.TemporaryFile() as errors:
            process = ForkedChild("harness.load.call_process.__main__", errors)
    try:
        made = Calling(process)
        made.tell(settings)
        yield made
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.stdout.close()


def order(number: int, caller: str) -> Order:
    return Order(id=number, caller=caller, number=number, round=1, placed_at=monotonic())


def test_all_kinds_of_callers_are_served_by_the_embedded_pair_and_nothing_stays_behind(
    tmp_path: Path,
) -> None:
    with calling(LoadSettings(turns=1, seed=5, texts={"reports": str(tmp_path)})) as process:
        (ready,) = process.until(Ready)
        assert isinstance(ready, Ready)
        assert ready.mode == "embedded"
        kinds = dict(enumerate(PLANS))
        process.tell(*(order(number, kind) for number, kind in kinds.items()))
        made = {m.id: m for m in process.until(CallMade, len(kinds)) if isinstance(m, CallMade)}
        assert {kinds[m.id]: (m.failure, m.broken) for m in made.values()} == dict.fromkeys(PLANS, ("", ""))

        rows = {kind: [stage.row for stage in process.stages(number)] for number, kind in kinds.items()}
        connecting = ["SDP POST", "ICE connected", "DC open", "session.update"]
        turn = ["turn detected", "first audio", "whole turn"]
        assert rows["steady"] == rows["churn"] == connecting + turn
        assert rows["reconnecting"] == 2 * (connecting + turn) + ["reconnect"]
        assert sorted(rows["interrupting"]) == sorted(connecting + 2 * turn)

        process.tell(order(99, "steady"))
        process.until(StageDone, len([r for r in process.reports if isinstance(r, StageDone)]) + 3)
        children = psutil.Process(process.process.pid).children(recursive=True)
        assert children, "the embedded pair"
    # Its input ended in the middle of a call.
    assert process.process.returncode == 0
    assert not [child for child in children if child.is_running()]
    assert not list(tmp_path.iterdir()), "only failed calls leave evidence"


def test_a_call_is_made_where_its_pipes_are_read_and_written_by_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on Windows, whose selector loop has no pipes; also what is reported last gets through."""
    monkeypatch.setenv("HARNESS_PLAIN_PLATFORM", "1")
    with calling(LoadSettings(turns=1, seed=5), "-m", "harness.load.call_process") as process:
        process.until(Ready)
        process.tell(order(1, "churn"))
        [made] = process.until(CallMade)
        assert isinstance(made, CallMade)
        assert (made.failure, made.broken) == ("", "")
    with calling(LoadSettings(host="no-url"), "-m", "harness.load.call_process") as process:
        process.until(Refused)


def test_it_measures_itself_every_second_also_while_nobody_calls() -> None:
    with calling(LoadSettings(host="http://127.0.0.1:9/offer")) as process:
        (measured, _) = process.until(GeneratorMeasured, 2)
    assert isinstance(measured, GeneratorMeasured)
    assert measured.calls == 0
    assert len(measured.pacing) > 10
    assert len(measured.lag) > 3
    assert measured.rss > 10**7
    assert measured.descriptors is not None
    assert measured.descriptors > 5
    assert measured.tasks >= 3


def test_a_busy_loop_in_the_process_shows_as_lateness() -> None:
    """A computation that holds the interpreter for 0.2 s, and again, as a saturated generator's would."""
    busy = """
import ctypes, threading, time
from harness.load.call_process import __main__ as call_process

def compute():
    hold = ctypes.PyDLL(None).usleep  # unlike those of CDLL, its functions keep the interpreter to themselves
    while True:
        hold(200_000)
        time.sleep(0.02)

threading.Thread(target=compute, daemon=True).start()
call_process.main()
"""
    with calling(LoadSettings(host="http://127.0.0.1:9/offer"), "-c", busy) as process:
        health = Health()
        for measured in process.until(GeneratorMeasured, SUSTAINED + 1):
            assert isinstance(measured, GeneratorMeasured)
            health.add(msgspec.structs.replace(measured, calls=1))
    assert "the generator was saturated (packets left" in health.verdict()
    assert (health.pacing.percentile(50) or 0.0) > 40


def test_a_cancelled_order_hangs_up_and_reports_nothing_more() -> None:
    with calling(LoadSettings(host="http://127.0.0.1:9/offer")) as process:
        process.until(Ready)
        process.tell(order(1, "steady"), Cancel(id=1), order(2, "steady"))
        process.until(CallMade)
        assert [m.id for m in process.reports if isinstance(m, CallMade)] == [2]
        (failed,) = process.until(CallMade)
    assert isinstance(failed, CallMade)
    assert (failed.failure, failed.row) == ("signaling.offer-accepted: unreachable", "SDP POST")
    assert failed.unreachable


def test_a_budget_holds_back_the_calls_that_could_go_beyond_it() -> None:
    texts = {"limits": ["cost_per_run_usd=1e-6"]}
    with calling(LoadSettings(turns=1, texts=texts)) as process:
        process.until(Ready)
        process.tell(*(order(number, "churn") for number in range(3)))
        made = [m for m in process.until(CallMade, 3) if isinstance(m, CallMade)]
    others = [m for m in made if m.withheld]
    assert len(others) == 2
    assert {m.failure for m in others} == {"cost.per-run: budget-exceeded"}
    assert all("of 1e-06 USD are spent" in m.withheld for m in others)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (LoadSettings(host="ftp://127.0.0.1"), "the target"),
        (LoadSettings(texts={"fake_openai": "127.0.0.1:1"}), "--fake-openai needs a --target"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_words(settings: LoadSettings, error: str) -> None:
    with calling(settings) as process:
        (refused,) = process.until(Refused)
    assert isinstance(refused, Refused)
    assert refused.usage
    assert error in refused.error
    assert process.process.returncode == 1
