from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping

import pytest

from harness.cli.main import main
from tests.support.coturn import PASSWORD, USERNAME, Coturn

GOOD = {"HARNESS_ICE_USERNAME": USERNAME, "HARNESS_ICE_CREDENTIAL": PASSWORD}


def run(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, environment: Mapping[str, str] | None = None
) -> int:
    for name in ("HARNESS_ICE_USERNAME", "HARNESS_ICE_CREDENTIAL", "HARNESS_ICE_SERVERS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (environment or {}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main(["ice", *arguments])
    return int(ended.value.code or 0)


def test_servers_that_work_are_shown_step_by_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], coturn: Coturn
) -> None:
    assert run(monkeypatch, coturn.stun, coturn.turn_udp, environment=GOOD) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{coturn.stun}  works: srflx"
    assert f"{coturn.turn_udp}  works: srflx, relay" in lines
    assert lines[-2].split()[:1] == ["data"]
    assert lines[-1] == "2 of 2 work"


def test_one_that_does_not_work_makes_the_exit_code_1_and_has_its_fix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], coturn: Coturn
) -> None:
    arguments = (coturn.stun, coturn.turn_tcp, "--username", USERNAME, "--credential", "wrong-password")
    assert run(monkeypatch, *arguments) == 1
    said = capsys.readouterr().out
    assert f"{coturn.turn_tcp}  fails: wrong-credentials" in said
    assert re.search(r"^\s+fix +check username and credential", said, re.MULTILINE)
    assert "1 of 2 work" in said
    assert "wrong-password" not in said


def test_json_is_one_document_with_everything_but_the_credential(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], coturn: Coturn
) -> None:
    ca = str(coturn.certificate.ca)
    assert run(monkeypatch, coturn.turns, "stun:127.0.0.1:9", "--json", "--ice-ca", ca, environment=GOOD) == 1
    out = capsys.readouterr().out
    assert PASSWORD not in out
    document = json.loads(out)
    assert document["works"] is False
    good, bad = document["servers"]
    assert (good["works"], good["transport"], good["realm"]) == (True, "tls", "harness.test")
    assert [c["type"] for c in good["candidates"]] == ["relay"]
    assert all(isinstance(c["port"], int) for c in good["candidates"])
    steps = ["resolve", "connect", "binding", "allocate", "permission", "data"]
    assert [step["name"] for step in good["steps"]] == steps
    assert all(step["ms"] >= 0 and step["error"] is None for step in good["steps"])
    assert (bad["cause"], bad["steps"][-1]["error"]) == ("unreachable", "unreachable: Connection refused")
    assert bad["fix"].endswith("let UDP through to port 9")


def test_servers_come_from_the_environment_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], coturn: Coturn
) -> None:
    servers = json.dumps({"iceServers": [{"urls": [coturn.stun]}]})
    assert run(monkeypatch, environment={"HARNESS_ICE_SERVERS": servers}) == 0
    assert coturn.stun in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "there is no server to try"),
        (("stun.example.com",), "is not the URL of an ICE server"),
        (("turn:turn.example.com",), "has no username or credential"),
        (("stun:a", "--ice-ca", "/no/such.pem"), "holds no authority"),
        (("stun:a", "--within", "0"), "--within"),
        (('[{"urls": 1}]',), "server 1 has no urls"),
    ],
)
def test_what_cannot_be_used_is_exit_code_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    says: str,
) -> None:
    assert run(monkeypatch, *arguments) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""


def test_on_a_terminal_it_is_a_table_with_marks(coturn: Coturn) -> None:
    controller, terminal = pty.openpty()
    environment = {**os.environ, **GOOD, "TERM": "xterm-256color", "COLUMNS": "80"}
    command = [sys.executable, "-m", "harness", "ice", coturn.turn_udp, "stun:127.0.0.1:9"]
    process = subprocess.Popen(command, stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    said = b""
    try:
        while chunk := os.read(controller, 4096):
            said += chunk
    except OSError:
        pass  # Linux ends a terminal's last read so
    os.close(controller)
    assert process.wait(30) == 1
    text = said.decode()
    assert "✓ " in text
    assert "✗ " in text
    assert "1 of 2 work" in text
    assert PASSWORD not in text
