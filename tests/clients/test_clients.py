"""Programs that nobody of this project wrote hold whole conversations with `harness fake-openai`.

A cell fails where the client cannot do what it should. An error event, an uncaught exception, a warning or
anything else that a client says fails it as well, and so does an event that its schemas refuse.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.core.realtime_events import server_event_problem
from tests.clients.clients import CLIENTS, FOLDER, INSTALLED, OWN_INSTALLED, Client
from tests.clients.running import Outcome, converse
from tests.support.programs import needs_installed, needs_program

INSTALL = "make install-clients"
CELLS = [pytest.param(c, f, id=f"{c.name}: {f}") for c in CLIENTS for f in c.features]

# All conversations are held in the first test's set-up, side by side.
pytestmark = pytest.mark.timeout(240)


def needs_what_it_runs_in(client: Client) -> None:
    """Skip, or in CI fail, with the command that installs what is missing."""
    if client.runs_in in ("node", "page"):
        needs_program("chromium" if client.runs_in == "page" else "node")
        needs_installed("the JavaScript clients", INSTALLED, INSTALL)
    if client.runs_in == "own-python":
        needs_installed("the Python clients", OWN_INSTALLED, INSTALL)


def is_ready(client: Client) -> bool:
    try:
        needs_what_it_runs_in(client)
    except (pytest.skip.Exception, pytest.fail.Exception):
        return False
    return True


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    ready = [client for client in CLIENTS if is_ready(client)]
    kinds = {client.runs_in for client in ready}
    node = needs_program("node") if "node" in kinds else ""
    browser = needs_program("chromium") if "page" in kinds else ""
    return asyncio.run(converse(ready, node, browser))


@pytest.mark.parametrize(("client", "feature"), CELLS)
def test_a_client_has_its_feature(request: pytest.FixtureRequest, client: Client, feature: str) -> None:
    needs_what_it_runs_in(client)
    outcome: Outcome = request.getfixturevalue("outcome")
    assert outcome.results[client.name].of(feature) is None


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_client_complains_of_nothing(request: pytest.FixtureRequest, client: Client) -> None:
    needs_what_it_runs_in(client)
    outcome: Outcome = request.getfixturevalue("outcome")
    assert outcome.results[client.name].problems == []


def test_a_client_shows_no_feature_that_it_is_said_to_lack(outcome: Outcome) -> None:
    shown = {
        client.name: list(outcome.results[client.name].features) for client in CLIENTS if is_ready(client)
    }
    expected = {client.name: client.features for client in CLIENTS if is_ready(client)}
    assert {name: sorted(features) for name, features in shown.items()} == {
        name: sorted(features) for name, features in expected.items()
    }


def test_the_fake_saw_every_client_leave(outcome: Outcome) -> None:
    assert outcome.calls
    assert {(call["state"], call["reason"]) for call in outcome.calls} <= {
        ("ended", "hang-up"),
        ("ended", "hangup-requested"),
    }


def events(outcome: Outcome) -> list[dict[str, Any]]:
    return [e["event"] for call in outcome.calls for e in call["events"] if e["kind"] == "server-event"]


def test_every_event_that_the_fake_sent_is_one_of_the_official_types(outcome: Outcome) -> None:
    problems = [(server_event_problem(event), event) for event in events(outcome)]
    assert [problem for problem in problems if problem[0] is not None] == []


def strictly(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What agents-realtime's schemas say: the refused events, and last which types were parsed."""
    node = needs_program("node")
    needs_installed("the JavaScript clients", INSTALLED, INSTALL)
    said = subprocess.run(
        [node, str(FOLDER / "programs" / "strictly.mjs")],
        input="\n".join(map(json.dumps, given)),
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return [json.loads(line) for line in said.stdout.splitlines()]


def test_the_javascript_schemas_take_every_event_that_the_fake_sent(outcome: Outcome) -> None:
    """To any client: its own conversations, and all the others."""
    *refused, said = strictly(events(outcome))
    assert refused == []
    assert {"conversation.item.added", "response.done", "error"} - set(said["parsed"]) == {"error"}


def test_an_event_that_the_javascript_schemas_refuse_is_told() -> None:
    started = {"type": "input_audio_buffer.speech_started", "event_id": "event_1", "audio_start_ms": 0}
    [refused, said] = strictly([{**started, "item_id": None}, {**started, "item_id": "item_1"}])
    assert (refused["type"], refused["issues"][0]["path"]) == (started["type"], ["item_id"])
    assert said["parsed"] == [started["type"]]


def test_the_lock_file_carries_no_addresses_and_the_versions_are_exact() -> None:
    lock = (FOLDER / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    wanted = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads(lock)["packages"]
    assert wanted == {name: locked[f"node_modules/{name}"]["version"] for name in wanted}
    assert Path(FOLDER / "requirements.txt").read_text(encoding="utf-8").count("==") > len(wanted)
