"""The pair in a process of its own: it starts, answers, and never outlives its parent."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness.core.clock import MonotonicClock
from harness.core.errors import HarnessError
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.fakes.openai.workers.routing import worker_of
from harness.fakes.relay.settings import SESSION_PATH
from tests.fakes.callers import new_caller
from tests.support.forked import forking
from tests.support.programs import is_gone


@pytest.fixture(scope="module", autouse=True)
def _children_start_as_a_users_do() -> Iterator[None]:
    with forking(False):
        yield


@pytest.fixture(scope="module")
def pair() -> Iterator[EmbeddedPair]:
    options = EmbeddedOptions(
        vad="webrtc", voice="mark", relay_faults=("bare-line-feeds",), conversation={"reply_delay_ms": 0}
    )
    with EmbeddedPair(options) as pair:
        yield pair


def pid(pair: EmbeddedPair) -> int:
    return int(httpx.get(f"{pair.fake}/_fake/health").json()["process"])


def command_line(process: int) -> str:
    return Path(f"/proc/{process}/cmdline").read_text()


async def test_a_call_goes_through_both(pair: EmbeddedPair) -> None:
    """Offer to the relay, media to the fake; the relay's fault is in force."""
    async with new_caller() as caller, httpx.AsyncClient(trust_env=False) as client:
        response = await client.post(pair.relay + SESSION_PATH, json={"sdp": caller.offer})
        assert "\r\n" not in response.text
        caller.accept(response.text)
        await caller.event("session.created")
        calls = (await client.get(f"{pair.fake}/_fake/calls?ufrag={caller.peer.ufrag}")).json()["calls"]
        assert [call["state"] for call in calls] == ["live"]


async def test_the_fake_may_have_several_workers() -> None:
    """Calls through the one relay come to all of them; none is left when the pair is gone."""
    options = EmbeddedOptions(vad="webrtc", voice="mark", workers=2)
    async with EmbeddedPair(options) as pair, httpx.AsyncClient(trust_env=False) as client:
        for _ in range(2):
            async with new_caller() as caller:
                answer = await client.post(pair.relay + SESSION_PATH, json={"sdp": caller.offer})
                caller.accept(answer.text)
                await caller.event("session.created")
        calls = (await client.get(f"{pair.fake}/_fake/calls")).json()["calls"]
        assert {worker_of(call["id"], 2) for call in calls} == {0, 1}
        workers = (await client.get(f"{pair.fake}/_fake/health")).json()["workers"]
    assert all(is_gone(worker["process"]) for worker in workers)


async def test_the_fake_accepts_only_the_relays_key(pair: EmbeddedPair) -> None:
    """A caller that goes around the relay gets nowhere."""
    async with new_caller() as caller, httpx.AsyncClient(trust_env=False) as client:
        headers = {"authorization": "Bearer sk-another-key-0123456789"}
        response = await client.post(
            f"{pair.fake}/v1/realtime/calls", files={"sdp": (None, caller.offer)}, headers=headers
        )
        assert response.status_code == 401
        assert pair.options.api_key not in command_line(pid(pair))


async def test_it_runs_and_stops_within_an_event_loop() -> None:
    """Without blocking it, and without a task or process left."""
    async with EmbeddedPair(EmbeddedOptions(vad="webrtc")) as pair:
        process = pid(pair)
        assert pair.problem == ""
    assert is_gone(process)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("option", [{"fake_faults": ("nonsense",)}, {"conversation": {"reply_delay": 1}}])
def test_a_pair_that_cannot_start_says_why(option: dict[str, object]) -> None:
    """With the child's own words, and no process left."""
    pair = EmbeddedPair(EmbeddedOptions(**option))  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(HarnessError, match=r"nonsense|reply_delay"):
        pair.start()
    pair.stop()


def test_a_pair_that_died_is_a_problem_with_its_words() -> None:
    """A run can tell that from a relay that fails."""
    with EmbeddedPair(EmbeddedOptions(vad="webrtc")) as pair:
        os.kill(pid(pair), signal.SIGKILL)
        while not pair.problem:
            pass
        assert pair.problem == "the embedded pair was killed (signal 9): is there memory enough?"


def test_a_pair_that_is_told_to_stop_is_no_problem() -> None:
    """Whoever watches it meanwhile sees a process that ended."""
    pair = EmbeddedPair(EmbeddedOptions(vad="webrtc")).start()
    process = pid(pair)
    pair._begin_stop()
    while not is_gone(process):
        pass
    assert pair.problem == ""
    pair.stop()


def test_sigterm_stops_it_cleanly() -> None:
    """As a supervisor would."""
    with EmbeddedPair(EmbeddedOptions(vad="webrtc")) as pair:
        os.kill(pid(pair), signal.SIGTERM)
        while not pair.problem:
            pass
        assert "status 0" in pair.problem


def test_it_dies_with_its_parent() -> None:
    """Also when the parent had no chance to say goodbye."""
    script = (
        "import os, httpx\n"
        "from harness.fakes.embedded import EmbeddedPair\n"
        "pair = EmbeddedPair().start()\n"
        "print(httpx.get(pair.fake + '/_fake/health').json()['process'], flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, timeout=30, check=False
    ).stdout
    process = int(output)
    clock = MonotonicClock()
    end = clock.now() + 10
    while not is_gone(process):
        assert clock.now() < end
