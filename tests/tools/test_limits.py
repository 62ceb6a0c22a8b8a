"""How relays' own limits are compared: what comes of a run, and what is said where something is amiss."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.core.dialects import DIALECTS
from harness.load.arrivals.answers import Answers
from harness.load.arrivals.offers import PreparedOffers
from tests.support.programs import needs_program
from tools.limits import __main__ as limits
from tools.limits.page import as_page, misses, page


def row(**changed: Any) -> dict[str, Any]:
    found = {"holds": [500, 510, 520], "reasons": ["cpu"] * 3, "wrk": [540.0, 530.5, 550.0], "wrong": []}
    return {**found, **changed}


def test_three_runs_close_to_each_other_and_to_wrk_are_as_they_should_be() -> None:
    assert misses(row()) == []
    assert misses(row(holds=[470, 510, 525])) == ["the runs are 11 % apart"]
    assert misses(row(holds=[430, 440, 450])) == ["0.81 of what wrk found"]
    assert misses(row(holds=[500, 510], wrong=["run 2 was cut short"])) == [
        "run 2 was cut short",
        "2 of 3 limits found",
    ]
    assert misses(row(holds=[500, 0, 510])) == ["2 of 3 limits found"]


def test_the_page_has_each_relay_or_says_that_nothing_was_measured() -> None:
    found = {"date": "2026-11-27", "machine": "2 cores", "relays": {"Node": row(), "slow": row(holds=[])}}
    text = as_page(found)
    assert "| Node | 500, 510, 520 | 4 % | 540, 530, 550 | 0.94 | cpu | as it should be |" in text
    assert "| slow |  | – | 540, 530, 550 | – | cpu | **0 of 3 limits found** |" in text
    assert "on 2026-11-27, on 2 cores" in text
    assert "make limits" in as_page({"date": "", "machine": "", "relays": {}})
    assert page().startswith("# Relays' own limits")


def test_what_wrk_posts_are_offers_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "offers.jsonl"
    limits._write_bodies(path)
    offers = [json.loads(line)["sdp"] for line in path.read_text().splitlines()]
    assert len(set(offers)) == limits.OFFERS
    assert all(offer.startswith("v=0") for offer in offers)


@pytest.mark.parametrize("name", limits.RELAYS)
def test_each_relay_forwards_an_offer_and_gives_its_answer(name: str) -> None:
    if name.startswith("Node"):
        needs_program("node")
    with limits.relay(name) as url:
        offer = PreparedOffers("chromium", random.Random(1)).draw()
        answered = httpx.post(url, json={"sdp": offer.sdp}, trust_env=False, timeout=60)
    assert answered.status_code in (200, 201)
    assert DIALECTS["json"].takes(answered.status_code)
    assert Answers().fault(offer, answered.text) == ""


def test_what_is_not_installed_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["limits"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert limits.main() == 2
    assert capsys.readouterr().out == "wrk is not installed. On Debian: apt-get install wrk\n"


def test_what_does_not_fit_into_the_time_is_said_and_the_row_keeps_what_there_is(tmp_path: Path) -> None:
    found = limits.measure("the reference relay", "wrk", tmp_path / "none", limits.Deadline(0), 3)
    assert found["wrong"] == ["not measured to the end: ValueError: its time was over"]
    assert misses(found)[-1] == "0 of 3 limits found"
