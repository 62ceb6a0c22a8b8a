from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import pytest
from rich.console import Console

from harness.cli import demo as demo_module
from harness.cli.demo_cases import CASES
from harness.cli.demo_showing import ShowDemo
from harness.fakes.faults import catalogue as _openai  # noqa: F401  (registers them)
from harness.fakes.faults.registry import OPENAI_FAULTS, RELAY_FAULTS
from harness.fakes.relay import faults as _relay  # noqa: F401  (registers them)
from harness.requirements.model import Level, Outcome, Verdict
from harness.requirements.registry import REGISTRY
from tests.cli.conftest import RunCommand


def test_every_fault_is_named_with_its_fix_and_the_healthy_relay_is_left_alone(
    run_command: RunCommand, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the environment says of a real target has no part in the demonstration.
    monkeypatch.setenv("HARNESS_TARGET", "https://production.example.com/session")
    monkeypatch.setenv("HARNESS_DIALECT", "sdp")
    code = run_command("demo", "--seed=1")
    said = capsys.readouterr().out
    assert code == 0, said
    assert "production" not in said
    for case in CASES:
        if case.finds:
            assert f"\n{case.finds}\n" in said
    assert said.count("  fix   ") == 5
    assert re.search(r"✓ +[\d.]+ s  a healthy relay +nothing wrong", said)
    assert "5 of 5 faults named as planted" in said


def test_a_fault_that_is_not_named_as_planted_is_said_and_ends_in_4(
    run_command: RunCommand, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trims = next(case for case in CASES if case.relay == "offer-trimmed")
    other = "signaling.offer-accepted: timeout"
    healthy_after_all = replace(trims, name="trims nothing", relay="")
    monkeypatch.setattr(demo_module, "CASES", (replace(trims, finds=other), healthy_after_all))
    monkeypatch.setattr("harness.cli.demo_showing.CASES", (replace(trims, finds=other), healthy_after_all))
    assert run_command("demo") == 4
    said = capsys.readouterr().out
    assert f"trims the offer: this was planted: {other}" in said
    assert f"trims nothing: this was planted: {trims.finds}" in said
    assert "0 of 2 faults named as planted" in said
    assert run_command("demo", "--json") == 4
    document = json.loads(capsys.readouterr().out)
    assert [entry["named_as_planted"] for entry in document] == [False, False]
    assert document[0]["found"][0]["cause"] == "offer-trimmed"


def test_each_case_plants_what_there_is_and_expects_what_can_be_found() -> None:
    healthy, *broken = CASES
    assert (healthy.relay, healthy.upstream, healthy.finds) == ("", "", "")
    assert len(broken) == 5
    for case in broken:
        assert not case.relay or case.relay in RELAY_FAULTS
        assert not case.upstream or case.upstream in OPENAI_FAULTS
        requirement, _, cause = case.finds.partition(": ")
        assert cause in REGISTRY.get(requirement).causes


@pytest.mark.parametrize("width", [60, 80, 120])
def test_on_a_terminal_the_list_and_the_findings_fit(width: int) -> None:
    out = io.StringIO()
    show = ShowDemo(Console(file=out, force_terminal=True, width=width, markup=False, highlight=False))
    with show:
        for case in CASES:
            requirement, _, cause = case.finds.partition(": ")
            verdict = Verdict(requirement, Level.MUST, Outcome.FAILED, cause, fix="fix it " * 30)
            show.made(case, (verdict,) if case.finds else (), 1.5)
    live = out.tell()
    show.conclude([], 12.0)
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue()[live:]).splitlines()
    assert max(map(len, lines)) <= width
    assert sum(line.startswith("✗") for line in lines) == 5
    assert sum(line.startswith("the relay ") for line in lines) == 5
