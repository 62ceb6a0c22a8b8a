from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.call import Caller, Scenario
from harness.call.budget import Budget
from harness.call.conduct import make_call, make_calls
from harness.call.context import CallContext
from harness.config.run import run_settings
from harness.config.timeouts import Timeouts
from harness.core import probes
from harness.core.errors import HarnessError
from harness.core.events import (
    CallEnded,
    CallStarted,
    CallWithheld,
    HarnessFailed,
    HttpFailed,
    Stalled,
    StateChanged,
    UpstreamUnavailable,
    WaitExpired,
)
from harness.fakes.embedded import EmbeddedPair, options_for
from harness.requirements import REGISTRY, Outcome, judge
from tests.peer.pairs import until


def open_files() -> int:
    """How many descriptors this process holds."""
    return len(list(Path("/proc/self/fd").iterdir()))


def scenario_of(plan: object, name: str = "planned") -> Scenario:
    return Scenario(name, "A call of this test.", plan, ("turns",))  # type: ignore[arg-type]  # plans of all kinds


async def connect_and_hang_up(caller: Caller) -> None:
    await caller.connect()
    await caller.hang_up()


async def test_both_ends_of_a_call_are_on_one_timeline(context: CallContext) -> None:
    record = await make_call(context, scenario_of(connect_and_hang_up), call="001")
    timeline = record.timeline
    theirs = timeline.first(CallStarted, side="upstream")
    ours = timeline.first(CallStarted)
    assert theirs is not None
    assert ours is not None
    assert theirs.ufrag == ours.ufrag
    opened = timeline.first(StateChanged, where=lambda e: (e.layer, e.state) == ("channel", "open"))
    ended = timeline.first(CallEnded, side="upstream")
    assert opened is not None
    assert ended is not None
    assert ours.at <= theirs.at <= opened.at <= ended.at


async def test_a_call_in_which_we_stood_still_says_so(context: CallContext) -> None:
    async def blocks(caller: Caller) -> None:
        await caller.connect()
        time.sleep(0.6)  # noqa: ASYNC251  (the stall)
        await asyncio.sleep(0.15)
        await caller.hang_up()

    stalls = (await make_call(context, scenario_of(blocks), call="001")).timeline.all(Stalled)
    assert sum(stall.seconds for stall in stalls) > 0.4


async def test_a_call_that_lives_on_at_the_upstream_is_said_to_and_for_how_long(context: CallContext) -> None:
    async def leaked(caller: Caller) -> None:
        assert caller.line.upstream is not None
        await caller.line.upstream.plant("call-leaked", caller.line.end.ufrag)
        await connect_and_hang_up(caller)

    impatient = replace(context, settings=replace(context.settings, timeouts=Timeouts(hang_up=0.3)))
    record = await make_call(impatient, scenario_of(leaked), call="001")
    waited = record.timeline.first(WaitExpired, where=lambda e: e.what == probes.RELEASE)
    assert waited is not None
    assert waited.within == 0.3
    released = await make_call(context, scenario_of(connect_and_hang_up), call="002")
    assert released.timeline.first(WaitExpired) is None


async def test_a_call_leaves_no_task_thread_or_socket(context: CallContext) -> None:
    three = [scenario_of(connect_and_hang_up, f"call-{n}") for n in range(3)]
    await make_calls(context, three, concurrency=3)  # what is loaded once, is loaded now
    tasks, threads, files = asyncio.all_tasks(), own_threads(), open_files()
    await make_calls(context, three, concurrency=3)
    await until(lambda: asyncio.all_tasks() <= tasks)
    # One connection to the fake's management may be kept for the next question.
    await until(lambda: open_files() <= files + 3)
    assert own_threads() <= threads


def own_threads() -> set[threading.Thread]:
    """Without the loop's pool, which grows to as many as were ever busy at once, and ends with the loop."""
    return {thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")}


async def test_a_cancelled_call_is_hung_up_and_released(context: CallContext) -> None:
    connected = asyncio.Event()
    ufrags: list[str] = []

    async def talk_for_ever(caller: Caller) -> None:
        await caller.connect()
        ufrags.append(caller.line.end.ufrag)
        connected.set()
        await caller.stay_silent(600)

    before = asyncio.all_tasks()
    making = asyncio.create_task(make_call(context, scenario_of(talk_for_ever), call="001"))
    await asyncio.wait_for(connected.wait(), 10)
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert context.upstream is not None
    calls = await context.upstream.calls_when_ended(ufrags[0], within=5)
    assert [call.live for call in calls] == [False]
    await until(lambda: asyncio.all_tasks() <= before)


async def test_a_plan_that_breaks_is_our_failure_and_the_call_is_hung_up(context: CallContext) -> None:
    async def broken(caller: Caller) -> None:
        await caller.connect()
        raise RuntimeError("planted")

    record = await make_call(context, scenario_of(broken), call="001")
    failed = record.timeline.first(HarnessFailed)
    assert failed is not None
    assert failed.error == "RuntimeError: planted"
    assert "test_conduct.py" in failed.where
    assert record.timeline.first(CallEnded, side="upstream") is not None


async def test_an_unknown_clip_is_our_failure_with_near_matches(context: CallContext) -> None:
    async def misspelt(caller: Caller) -> None:
        await caller.connect()
        await caller.say("es-f-odrer")

    record = await make_call(context, scenario_of(misspelt), call="001")
    failed = record.timeline.first(HarnessFailed)
    assert failed is not None
    assert "es-f-order" in failed.error


async def no_pair(_settings: object) -> None:
    raise AssertionError("a target needs no embedded pair")


async def test_with_a_target_no_pair_is_started_and_a_refusal_is_recorded() -> None:
    settings = run_settings(target="http://127.0.0.1:9/offer", seed=1)
    async with CallContext.open(settings, no_pair) as context:  # type: ignore[arg-type]  # must not be called
        record = await make_call(context, scenario_of(connect_and_hang_up), call="001")
    failed = record.timeline.first(HttpFailed)
    assert failed is not None
    assert failed.failure == "refused"


async def test_a_fake_that_nobody_serves_is_served_for_the_run_and_its_loss_is_told(
    unused_tcp_port: int,
) -> None:
    address, told = f"127.0.0.1:{unused_tcp_port}", list[str]()
    settings = run_settings(target="http://127.0.0.1:9/offer", fake_openai=address, seed=1)
    async with CallContext.open(settings, EmbeddedPair.for_run, told.append) as context:
        assert context.upstream is not None
        assert await context.upstream.is_there()
    assert told == [
        f"nobody served the fake OpenAI at http://{address}: the harness serves it there for this run "
        f"(the relay needs OPENAI_BASE_URL=http://{address}/v1)"
    ]
    async with EmbeddedPair(options_for(settings)) as fake, CallContext.open(settings, no_pair) as context:  # type: ignore[arg-type]  # must not be called
        fake.stop()
        record = await make_call(context, scenario_of(connect_and_hang_up), call="001")
        assert context.upstream is not None
        with pytest.raises(HarnessError, match="start it with `harness fake-openai"):
            await context.upstream.calls("whoever")
    assert record.timeline.first(UpstreamUnavailable) is not None


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "status 404 for /_fake/health"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "is not the harness's fake OpenAI"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not answer as one"),
    ],
)
async def test_something_else_at_the_fakes_address_ends_the_run_before_any_call(
    answer: bytes, says: str
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    settings = run_settings(target="http://127.0.0.1:9/offer", fake_openai=address, seed=1)
    async with server:
        with pytest.raises(HarnessError, match=says):
            async with CallContext.open(settings, no_pair):  # type: ignore[arg-type]  # must not be called
                pass


async def test_no_call_is_placed_beyond_the_budget_and_its_record_says_so(context: CallContext) -> None:
    async def ask(caller: Caller) -> None:
        await caller.connect()
        await caller.say("en-m-yes")
        await caller.hear_reply()
        await caller.hang_up()

    poor = replace(context, budget=Budget({"cost_per_run_usd": 0.0001}))
    plans = [scenario_of(ask, f"ask-{n}") for n in range(3)]
    first, *rest = await make_calls(poor, plans, concurrency=3)
    assert first.timeline.first(CallWithheld) is None
    for record in rest:
        withheld = record.timeline.first(CallWithheld)
        assert withheld is not None
        assert "of 0.0001 USD are spent" in withheld.reason
        assert [type(event) for event in record.timeline] == [CallStarted, CallWithheld, CallEnded]
        assert record.id
        assert not record.audio.size
    verdicts = judge([record.timeline for record in (first, *rest)], REGISTRY)
    (per_run,) = [v for v in verdicts if v.id == "cost.per-run"]
    assert (per_run.outcome, per_run.cause) == (Outcome.FAILED, "budget-exceeded")
    assert "2 of 3 calls were not placed" in per_run.explanation
    assert {v.outcome for v in verdicts if v.call == rest[0].id} == {Outcome.NOT_APPLICABLE}
