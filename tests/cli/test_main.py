from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from pathlib import Path

import click
import httpx
import pytest

from harness.cli.main import COMMANDS, cli, main
from harness.core.events import CallEnded, CallStarted
from harness.core.timeline import Timeline
from tests.cli.conftest import Server


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("judge", "nowhere.jsonl"), "nowhere.jsonl cannot be read"),
        (
            ("no-such-command",),
            "harness: there is no command 'no-such-command' (choose one of behind, capacity, catalogue",
        ),
        (("doctro",), "harness: there is no command 'doctro' (did you mean doctor?)\n"),
        (("doctor", "--dialct=sdp"), "harness: there is no option --dialct (did you mean --dialect?)\n"),
        (("doctor", "--seed"), "option '--seed' requires an argument"),
        (("relay",), "missing option '--upstream' (see harness relay --help)\n"),
        (("fake-openai", "--bind", "nonsense"), "'nonsense' is not HOST:PORT"),
        (("fake-openai", "--fault", "http-4o1"), "no fault named 'http-4o1'"),
        (("fake-openai", "--ice-patience", "soon"), "'soon' is neither seconds (0 or more) nor off"),
        (("fake-openai", "--ice-patience", "nan"), "'nan' is neither seconds (0 or more) nor off"),
        (("fake-openai", "--ice-patience=-1"), "'-1' is neither seconds (0 or more) nor off"),
        (("relay", "--upstream", "http://127.0.0.1:1/v1"), "OPENAI_API_KEY is not set"),
        (
            ("ice", "stun:127.0.0.1:9", "--within", "nan"),
            "harness: --within: 'nan' is no number (give a number from 0.1 to 60)\n",
        ),
        (
            ("behind", "--tell-after=-1", "--", "true"),
            "--tell-after: '-1' is out of range (give a number above",
        ),
        (
            ("fake-openai", "--workers", "many"),
            "--workers: 'many' is no whole number (give a whole number, from",
        ),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(
    arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert run(*arguments) == 2
    assert says in capsys.readouterr().err


def test_a_relay_takes_its_upstream_from_where_openais_clients_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "openai.test/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-anything")
    assert run("relay") == 2
    assert "'openai.test/v1' is not an upstream URL" in capsys.readouterr().err


def test_no_option_reads_its_number_otherwise_than_the_table_of_options_does() -> None:
    """click's own numbers take nan."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        for option in command.params:
            numbers = (click.types.IntParamType, click.types.FloatParamType)
            assert not isinstance(option.type, numbers), f"harness {name} {option.opts[0]}"


def test_a_relay_open_to_every_page_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-anything")
    assert run("relay", "--upstream", "http://127.0.0.1:1/v1", "--origin", "*") == 2
    assert "origin '*' would let every web page make calls at your expense" in capsys.readouterr().err


def test_a_damaged_timeline_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "timeline.jsonl"
    path.write_text(
        Timeline([CallStarted(at=0.0, call="1")]).to_jsonl() + '{"kind":"call-ended","at":1.0,"rea'
    )
    assert run("judge", str(path)) == 2
    assert "line 2" in capsys.readouterr().err


def test_judging_a_saved_timeline_gives_results_of_the_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "timeline.jsonl"
    path.write_text(Timeline([CallStarted(at=0.0, call="1"), CallEnded(at=1.0, reason="over")]).to_jsonl())
    code = run("judge", str(path), "--json", "--area", "signaling")
    results = json.loads(capsys.readouterr().out)
    assert results["schema"] == 2
    assert {r["id"].partition(".")[0] for r in results["requirements"]} == {"signaling"}
    assert code in (1, 4)


def test_faults_are_listed_for_both_parties(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("faults", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert "offer-trimmed" in {fault["name"] for fault in listed["relay"]}
    assert listed["fake-openai"]


def test_the_catalogue_lists_every_cause_with_its_fix(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("catalogue") == 0
    page = capsys.readouterr().out
    assert "signaling.answer-has-data-channel" in page
    assert "data-section-missing" in page


def ready_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_fake_and_relay_print_their_url_serve_and_stop_cleanly(
    server: Server, number: signal.Signals
) -> None:
    fake = server("fake-openai")
    url = ready_line(fake)
    relay = server("relay", "--upstream", f"{url}/v1", OPENAI_API_KEY="sk-test-0123456789abcdef")
    assert httpx.get(f"{url}/_fake/calls", trust_env=False).json()["calls"] == []
    assert httpx.get(f"{ready_line(relay)}/health", trust_env=False).json()["status"] == "ok"
    hint = rf"give the relay OPENAI_BASE_URL={url}/v1 and OPENAI_API_KEY=sk-test \(any key will do\)\n"
    for process, told in ((relay, ""), (fake, hint)):
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert re.fullmatch(rf"seed \d+\n{told}", process.stderr.read())


def test_a_port_in_use_is_named_with_what_to_do(server: Server) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        process = server("fake-openai", "--bind", f"127.0.0.1:{port}")
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert f"127.0.0.1:{port} cannot be bound" in errors
    assert "another program listens there" in errors
