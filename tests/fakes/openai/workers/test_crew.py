"""Workers that die, and fakes that stop: nothing is hidden and nothing is left."""

from __future__ import annotations

import asyncio
import os
import signal

import httpx
import psutil
import pytest

from harness.core.timeline import event_from_builtins
from harness.fakes.openai.workers.front import serving_fake
from harness.fakes.openai.workers.routing import worker_of
from tests.fakes.callers import CALLS, Reached, calling, quick
from tests.fakes.openai.workers import crews


async def test_a_dead_worker_is_reported_and_its_calls_are_listed_as_lost() -> None:
    """The others go on, new calls go to them, and the end of the last is told."""
    reports: list[str] = []
    reported, broken = asyncio.Event(), asyncio.Event()

    def report(line: str) -> None:
        reports.append(line)
        reported.set()

    async with (
        asyncio.timeout(60),
        serving_fake(quick(), workers=2, broken=broken.set, report=report) as url,
        httpx.AsyncClient(trust_env=False, timeout=10.0) as client,
    ):
        fake = Reached(url, client)
        async with calling(fake) as one, calling(fake) as other:
            for caller in (one, other):
                await caller.event("session.created")
            health = (await client.get(f"{url}/_fake/health")).json()
            pids = [worker["process"] for worker in health["workers"]]
            [dead] = await fake.calls(ufrag=one.peer.ufrag)
            [alive] = await fake.calls(ufrag=other.peer.ufrag)
            index = worker_of(dead["id"], 2)
            os.kill(pids[index], signal.SIGKILL)
            await reported.wait()
            assert reports == [
                f"worker {index} (process {pids[index]}) ended with status -9; calls lost: 1, workers left: 1"
            ]
            [lost] = await fake.calls(ufrag=one.peer.ufrag)
            assert (lost["id"], lost["state"], lost["reason"]) == (dead["id"], "ended", "worker-lost")
            kinds = [type(event_from_builtins(event)).__name__ for event in lost["events"]]
            assert kinds == ["CallStarted", "HttpRequest", "CallEnded"]
            assert [c["state"] for c in await fake.calls(id=alive["id"])] == ["live"]
            health = (await client.get(f"{url}/_fake/health")).json()
            assert (health["status"], health["live"]) == ("degraded", 1)
            assert (await fake.post(f"{CALLS}/{dead['id']}/hangup")).status_code == 404
            async with calling(fake) as next_one:
                await next_one.event("session.created")
            assert not broken.is_set()
            os.kill(pids[1 - index], signal.SIGKILL)
            await broken.wait()
            assert (await client.get(f"{url}/_fake/health")).json()["status"] == "down"
            with pytest.raises(httpx.HTTPError):
                await fake.post(CALLS)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_stops_when_told_with_calls_released_and_no_process_left(number: signal.Signals) -> None:
    """Also when the signal reaches the whole group, as Ctrl-C does."""
    with crews.served_by_two() as served:
        workers = served.workers
        async with (
            httpx.AsyncClient(trust_env=False) as client,
            calling(Reached(served.url, client)) as caller,
        ):
            await caller.event("session.created")
            for process in (*workers, served.process):
                process.send_signal(number)
            await caller.state("dtls", "closed", within=15.0)
        output, errors = served.process.communicate(timeout=15)
        assert (served.process.returncode, output, errors) == (0, "", "")
        assert crews.all_gone(workers, 0)


def test_workers_end_with_a_front_that_had_no_chance_to_say_goodbye() -> None:
    """Its end of the channel closes with it."""
    with crews.served_by_two() as served:
        workers = served.workers
        served.process.kill()
        assert crews.all_gone(workers)


def test_a_fake_without_workers_ends_with_an_error() -> None:
    """Rather than refuse every call from then on."""
    with crews.served_by_two() as served:
        for worker in served.workers:
            worker.kill()
        _, errors = served.process.communicate(timeout=15)
        assert served.process.returncode != 0
        assert "all workers of the fake have died" in errors


async def test_a_hung_worker_is_named_when_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than shown as one without calls; stopping does not wait for it for ever."""
    monkeypatch.setattr("harness.fakes.openai.workers.channel.ANSWER_SECONDS", 2.0)  # for the other, too
    monkeypatch.setattr("harness.fakes.openai.workers.member.STOP_SECONDS", 0.2)
    token = {"authorization": "Bearer let-me-in"}
    async with (
        serving_fake(quick(management_token="let-me-in"), workers=2) as url,
        httpx.AsyncClient(trust_env=False, headers=token) as client,
    ):
        refused = await client.get(f"{url}/_fake/calls", headers={"authorization": "Bearer me-too"})
        assert refused.status_code == 403
        health = (await client.get(f"{url}/_fake/health")).json()
        hung = psutil.Process(health["workers"][1]["process"])
        hung.suspend()
        reply = await client.get(f"{url}/_fake/calls")
        assert reply.status_code == 503
        assert f"worker 1 (process {hung.pid})" in reply.json()["problem"]
    assert not hung.is_running()
