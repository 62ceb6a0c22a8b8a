"""What the harness itself serves for a command is killed: said once, as ours, and nothing is left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from tests.load.locusts import free_port
from tests.support.killing import FAKE_WAS_KILLED, PAIR, PAIR_WAS_KILLED, Begun, Ended


def ends_as_ours(ended: Ended, why: str) -> None:
    assert ended.code == 4, ended.said
    assert why in ended.said
    assert "Traceback" not in ended.said
    assert ended.left == []
    assert ended.seconds < 30


def test_of_the_demonstration() -> None:
    begun = Begun("harness", "demo")
    begun.until_said("six relays")
    ended = begun.kill(PAIR)
    ends_as_ours(ended, PAIR_WAS_KILLED)
    assert ended.said.splitlines()[-1] == f"harness: {PAIR_WAS_KILLED}"


def test_of_behind_which_ends_the_command_that_can_no_longer_work() -> None:
    begun = Begun("harness", "behind", f"--fake-openai=127.0.0.1:{free_port()}", "--", "sleep", "90")
    begun.until_said("reach the fake at")
    ended = begun.kill(PAIR)
    ends_as_ours(ended, f"harness: the command was ended: {FAKE_WAS_KILLED}")


@pytest.fixture(scope="module")
def relay() -> Iterator[str]:
    """One that conforms; its own fake is not the one that is asked for, so no call comes to that."""
    with EmbeddedPair(EmbeddedOptions(vad="webrtc", conversation={"reply_delay_ms": 60_000})) as pair:
        yield pair.offer_url


def test_of_the_doctor_who_keeps_what_was_seen(relay: str, tmp_path: Path) -> None:
    fake = f"127.0.0.1:{free_port()}"
    begun = Begun("harness", "doctor", relay, f"--fake-openai={fake}", f"--reports={tmp_path}")
    begun.until_said("session created")
    ended = begun.kill(PAIR)
    ends_as_ours(ended, f"no further call is made: {FAKE_WAS_KILLED}")
    assert "THE HARNESS ITSELF BROKE (1)" in ended.said
    assert json.loads((tmp_path / "results.json").read_text())["verdict"] == "inconclusive"
    assert list(tmp_path.glob("calls/*/timeline.jsonl"))
