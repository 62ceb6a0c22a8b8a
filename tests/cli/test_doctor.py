from __future__ import annotations

import io
import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from rich.console import Console

from harness.call.conduct import CallRecord
from harness.cli.examining import Examined, check_call
from harness.cli.screen import stage_line
from harness.cli.showing import ShowLive
from harness.config.run import run_settings
from harness.core.clock import MonotonicClock
from harness.core.dialects import dialect_named
from harness.core.events import CallStarted
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.requirements.judging import judge
from harness.requirements.registry import REGISTRY
from harness.run.checkup import Check, StageWatch, State, checkup
from harness.run.checkup_stages import STAGES
from harness.run.model import CallEntry, Run
from harness.run.stream import StageReached
from tests.cli.conftest import RunCommand, Server
from tests.support.timelines import call_started, healthy_call

QUICK = "--say=en-m-yes"
NAMES = [stage.name for stage in STAGES if stage.seen(healthy_call())]


@pytest.fixture(scope="module")
def healthy() -> Iterator[EmbeddedPair]:
    with EmbeddedPair(EmbeddedOptions()) as pair:
        yield pair


def test_a_healthy_relay_is_conforming_and_every_stage_is_ticked_off(
    healthy: EmbeddedPair, run_command: RunCommand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_command(
        "doctor",
        healthy.offer_url,
        f"--fake-openai={healthy.fake}",
        f"--reports={tmp_path}",
        "--limit=lateness_max_ms=5000",
        "--limit=lateness_p99_ms=5000",
        QUICK,
    )
    said = capsys.readouterr().out
    assert code == 0, said
    lines = said.splitlines()
    assert "grey box" in lines[0]
    # What arrived is asked for when the call is over.
    ticked = [line[13:37].strip() for line in lines if line.startswith("✓")]
    assert ticked[:-1] == [name for name in NAMES if name != ticked[-1]]
    assert ticked[-1] == "arrived at the fake"
    assert "the relay is conforming" in said
    results = json.loads((tmp_path / "results.json").read_text())
    assert (results["verdict"], results["target"]["dialect"]) == ("conforming", "json")
    assert (tmp_path / results["calls"][0]["timeline"]).exists()


def test_a_broken_relay_is_named_with_cause_and_fix_and_the_document_says_the_same(
    run_command: RunCommand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedPair(EmbeddedOptions(relay_faults=("offer-trimmed",))) as pair:
        arguments = ("doctor", pair.offer_url, f"--fake-openai={pair.fake}", f"--reports={tmp_path}")
        assert run_command(*arguments, "--dialect=json") == 1
        said = capsys.readouterr().out
        assert run_command(*arguments, "--json") == 1
    assert "signaling.offer-forwarded-intact: offer-trimmed" in said
    assert "  fix   forward the offer byte for byte" in said
    assert "the relay is violating: 1 failed" in said
    assert any(line.startswith("✗") and "arrived at the fake" in line for line in said.splitlines())
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["verdict"]) == (2, "violating")
    stages = {stage["name"]: stage for stage in document["stages"]}
    assert list(stages) == NAMES
    assert stages["offer sent"]["state"] == "reached"
    assert stages["arrived at the fake"]["state"] == "failed"
    assert stages["ICE connected"]["state"] == "not reached"
    assert document["dialects_refused"] == []  # what is wrong with the offer is known: no search


def test_the_fake_is_served_where_nobody_does_and_what_arrived_there_is_a_stage(
    run_command: RunCommand,
    server: Server,
    tmp_path: Path,
    unused_tcp_port: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake = f"http://127.0.0.1:{unused_tcp_port}"
    relay = server("relay", "--upstream", fake, "--fault=path-doubled", OPENAI_API_KEY="sk-test")
    assert relay.stdout is not None
    url = f"{relay.stdout.readline().strip()}/api/voice/webrtc/session"
    assert run_command("doctor", url, f"--fake-openai={fake}", f"--reports={tmp_path}", "--json") == 1
    heard = capsys.readouterr()
    assert heard.err.splitlines() == [
        f"nobody served the fake OpenAI at {fake}: the harness serves it there for this run "
        f"(the relay needs OPENAI_BASE_URL={fake}/v1)"
    ]
    document = json.loads(heard.out)
    stages = {stage["name"]: stage for stage in document["stages"]}
    assert stages["arrived at the fake"]["state"] == "failed"
    assert stages["arrived at the fake"]["detail"] == "signaling.offer-reaches-upstream: path-doubled"
    (failed,) = (r for r in document["requirements"] if r["outcome"] == "failed")
    assert any("at the fake: POST /v1/v1/realtime/calls from 127.0.0.1:" in e for e in failed["evidence"])


def test_in_a_black_box_there_is_no_stage_at_the_fake() -> None:
    events = [e if not isinstance(e, CallStarted) else call_started("black-box") for e in healthy_call()]
    names = [check.name for check in checkup(Timeline(events))]
    assert names == [name for name in NAMES if name != "arrived at the fake"]


def test_a_relay_that_is_not_there_is_unreachable(
    run_command: RunCommand, closed_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_command("doctor", f"http://127.0.0.1:{closed_port}/session", f"--reports={tmp_path}")
    said = capsys.readouterr().out
    assert code == 3
    assert "signaling.offer-accepted: unreachable" in said
    assert "the relay is unreachable" in said
    assert "was refused" not in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "there is no relay to look at"),
        (("relay.example.com/offer",), "is not a URL that an offer can be posted to"),
        (("no-such-target",), "'no-such-target' is not a URL, and there is no harness.toml"),
        (("http://127.0.0.1:9/", "--say=en-m-yess"), "there is no clip 'en-m-yess'"),
        (("http://127.0.0.1:9/", "--dialect=jsn"), "there is no dialect 'jsn'"),
        (("http://127.0.0.1:9/", "--limit=latency=3"), "there is no limit 'latency'"),
    ],
)
def test_bad_input_is_one_message_and_nothing_is_written(
    arguments: tuple[str, ...],
    says: str,
    run_command: RunCommand,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command("doctor", *arguments) == 2
    heard = capsys.readouterr()
    assert says in heard.err
    assert heard.out == ""
    assert list(tmp_path.iterdir()) == []


def call_states(pair: EmbeddedPair) -> set[str]:
    calls = httpx.get(f"{pair.fake}/_fake/calls", trust_env=False).json()["calls"]
    return {call["state"] for call in calls}


def test_a_call_that_is_interrupted_is_hung_up(healthy: EmbeddedPair, server: Server, tmp_path: Path) -> None:
    process = server("doctor", healthy.offer_url, f"--reports={tmp_path}", "--say=en-m-novel-a")
    assert process.stdout is not None
    while "session created" not in (line := process.stdout.readline()):
        assert line, "the call never came up"
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=20)
    assert process.returncode == 130, out + errors
    assert "Traceback" not in errors
    deadline = MonotonicClock().now() + 10  # the goodbye is on its way; a call that is just left ends in 30 s
    while (states := call_states(healthy)) != {"ended"}:
        assert MonotonicClock().now() < deadline, states


@pytest.mark.parametrize("width", [60, 80, 120])
def test_on_a_terminal_the_stages_stand_in_a_list_that_fits(width: int, tmp_path: Path) -> None:
    heard = io.StringIO()
    show = ShowLive(Console(file=heard, force_terminal=True, width=width, markup=False, highlight=False))
    settings = run_settings(target="http://127.0.0.1:9/session")
    whole = healthy_call()
    growing, stages = Timeline(), StageWatch()
    show.begin(settings)
    with show:
        for event in whole:
            growing.append(event)
            for check in stages.reached_by(growing, event):
                show.observe(StageReached("checkup", "1", check, growing))
    run = Run(
        target="http://127.0.0.1:9/session",
        dialect="json",
        mode="black-box",
        seed=1,
        started_at="",
        calls=(CallEntry("1", "checkup", whole),),
        verdicts=tuple(judge([whole], REGISTRY)),
    )
    live = heard.tell()
    record = CallRecord(check_call("en-m-yes"), whole, np.zeros(0, dtype=np.int16))
    show.outcome(Examined(record, dialect_named("json")), run, tmp_path / "results.json")
    judged = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", heard.getvalue()[live:]).splitlines()
    assert [name for name in NAMES if not any(f"✓ {name} " in f"{line} " for line in judged)] == []
    assert "the relay is conforming" in "\n".join(judged)
    assert max(map(len, judged[:-1])) <= width  # the last names a path, which is not for wrapping


def test_a_line_for_a_pipe_has_mark_time_name_and_detail() -> None:
    check = Check("answer received", State.REACHED, 0.1684, 0.1, "status 200")
    assert stage_line(check) == "✓   0.168 s  answer received         status 200"
    assert stage_line(Check("hung up", State.NOT_REACHED)) == "·            hung up"
