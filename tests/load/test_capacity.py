from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import psutil
import pytest

from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from tests.load.limited_relay import limited_relay
from tests.load.locusts import free_port

HARNESS = [sys.executable, "-c", "from harness.cli.main import main; main()"]
# A call takes seven seconds, and a step waits three times its own length for the first.
SHORT_STEPS = ("--step-seconds=4", "--settle-seconds=1", "--turns=1")
# How late the generator is matters to one of these tests alone, and the machine has other work.
PATIENT = "--limit=lateness_p99_ms=5000"


@dataclass
class Command:
    """A command of the harness under way, and the folder that it reports to."""

    process: subprocess.Popen[str]
    reports: Path

    def end(self, within: float = 110) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        try:
            out, err = self.process.communicate(timeout=within)
        finally:
            self.process.kill()
        return self.process.returncode, out, err

    def report(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.reports / f"{name}.json").read_text())
        return found


Begin = Callable[..., Command]


@pytest.fixture(scope="module")
def begin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Begin]:
    begun: list[Command] = []

    def start(*arguments: str) -> Command:
        reports = tmp_path_factory.mktemp("reports")
        process = subprocess.Popen(
            [*HARNESS, *arguments, f"--reports={reports}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(Command(process, reports))
        return begun[-1]

    yield start
    for command in begun:
        if command.process.poll() is None:
            command.process.kill()
            command.process.wait()


@dataclass
class Runs:
    """They mostly wait, so they run side by side."""

    limited: Command
    slow: Command
    late: Command


@pytest.fixture(scope="module")
def runs(begin: Begin) -> Iterator[Runs]:
    with ExitStack() as stack:
        short = "recorded:en-m-yes"
        pair = stack.enter_context(EmbeddedPair(EmbeddedOptions(vad="webrtc", voice=short)))
        delayed = stack.enter_context(
            EmbeddedPair(EmbeddedOptions(vad="webrtc", voice=short, conversation={"reply_delay_ms": 2500}))
        )
        relay = stack.enter_context(limited_relay(pair, most=2))
        steps = ("--start=1", "--step=2", "--most=5", *SHORT_STEPS)
        yield Runs(
            limited=begin("capacity", relay, "--slo=failures < 1%", PATIENT, *steps),
            slow=begin(
                "capacity", delayed.offer_url, "--slo=first audio p95 < 2s", "--most=1", "--start=1",
                PATIENT, *SHORT_STEPS, "--step-seconds=8",  # more than a call
            ),
            # Not at the limited relay's fake, where its calls would count.
            late=begin("capacity", delayed.offer_url, "--limit=lateness_p99_ms=0.02", *steps),
        )  # fmt: skip


def test_a_relay_that_holds_two_calls_is_found_to_hold_two_and_why_not_three(runs: Runs) -> None:
    code, out, err = runs.limited.end()
    assert (code, err) == (0, ""), out + err
    report = runs.limited.report("capacity")
    assert (report["holds"], report["breaks"], report["verdict"]) == (2, 3, "holds")
    assert [(step["calls"], step["outcome"]) for step in report["steps"]] == [
        (1, "held"),
        (3, "broken"),
        (2, "held"),
    ]
    assert "SDP POST: signaling.offer-accepted" in report["because"]
    assert f"holds 2 calls; breaks at 3 because {report['because']}" in report["sentence"]
    assert report["sentence"] in out
    assert "  1 calls: held  failures 0.0 %" in out
    assert (runs.limited.reports / "capacity.svg").read_text().count("breaks at 3") == 1
    assert list((runs.limited.reports / "calls").iterdir()), "failed calls keep their evidence"


def test_an_upstream_that_is_slow_to_speak_breaks_the_objective_of_that_stage(runs: Runs) -> None:
    code, out, err = runs.slow.end()
    assert code == 1, out + err
    report = runs.slow.report("capacity")
    assert (report["holds"], report["breaks"]) == (0, 1)
    slo = report["steps"][0]["slos"][0]
    assert (slo["row"], slo["kept"]) == ("first audio", False)
    assert slo["value"] > 2500
    told = re.search(r"first audio p95 was ([\d.]+) s", report["because"])
    assert told is not None, report["because"]
    assert float(told[1]) > 2.5


def test_a_generator_that_is_late_itself_blames_itself(runs: Runs) -> None:
    code, out, err = runs.late.end()
    assert code == 4, out + err
    report = runs.late.report("capacity")
    assert report["verdict"] == "inconclusive"
    assert report["breaks"] is None
    assert report["steps"][-1]["outcome"] == "saturated"
    assert "the generator was saturated; this machine can carry" in out


def test_a_soak_that_is_interrupted_says_what_it_learned_and_leaves_nothing_behind(begin: Begin) -> None:
    port = free_port()
    soak = begin("soak", "--calls=2", "--for=1m", "--turns=1", f"--metrics=127.0.0.1:{port}", PATIENT)
    assert soak.process.stdout is not None
    told = ""
    deadline = monotonic() + 60
    while "calls live at the fake" not in told:
        told = soak.process.stdout.readline()
        assert monotonic() < deadline
    children = psutil.Process(soak.process.pid).children(recursive=True)
    assert len(children) >= 2, "the call process and the embedded pair"
    sleep(1)
    scraped = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    assert 'harness_load_stage_seconds_bucket{stage="DC open",le="+Inf"}' in scraped
    assert "harness_load_under_way 2" in scraped
    soak.process.send_signal(signal.SIGINT)
    code, out, err = soak.end(40)
    assert code == 130, out + err
    report = soak.report("soak")
    assert report["interrupted"] is True
    assert report["series"]["memory"]["points"]
    assert "interrupted" in out
    assert not [child for child in children if child.is_running()]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["capacity", "http://127.0.0.1:9/offer"], 3, "nothing answered at http://127.0.0.1:9/offer"),
        (["soak", "http://127.0.0.1:9/offer"], 3, "nothing answered"),
        (["capacity", "--slo=DC opne p95 < 5s"], 2, "there is no stage 'DC opne'"),
        (["capacity", "--start=9", "--most=5"], 2, "--start 9 is beyond --most 5"),
    ],
)
def test_what_cannot_be_run_is_said_with_the_exit_code_of_the_contract(
    begin: Begin, arguments: list[str], code: int, told: str
) -> None:
    found, out, err = begin(*arguments).end(60)
    assert (found, told in err) == (code, True), out + err
