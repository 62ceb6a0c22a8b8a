from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from functools import partial

import httpx

from harness.call import Caller, Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.call.host import CallAgain
from harness.call.line import CallLine
from harness.core.events import (
    CallEnded,
    CallLost,
    CallResumed,
    CallStarted,
    HerdCame,
    RelayRestarted,
    StateChanged,
)
from harness.network.impairments import Impairment
from tests.call.test_conduct import open_files, own_threads
from tests.peer.pairs import until

# `RECONNECTS=50 pytest tests/call/test_reconnecting.py -k in_a_row` is the long form.
RECONNECTS = int(os.environ.get("RECONNECTS", "6"))


def scenario_of(plan: object, **more: object) -> Scenario:
    return Scenario("reconnect", "A call of this test.", plan, ("lifecycle",), **more)  # type: ignore[arg-type]  # plans of all kinds


async def calls_at_the_fake(context: CallContext) -> list[dict[str, str]]:
    async with httpx.AsyncClient(trust_env=False) as client:
        found: list[dict[str, str]] = (
            await client.get(f"{context.settings.fake_openai}/_fake/calls")
        ).json()["calls"]
    return found


async def test_a_caller_whose_channel_was_closed_has_two_timelines_that_belong_together(
    context: CallContext,
) -> None:
    async def plan(caller: Caller) -> None:
        assert await caller.reconnect.will_lose_call("channel-closed", 0.2)
        await caller.connect()
        await caller.reconnect.come_back()
        await caller.hang_up()

    record = await make_call(context, scenario_of(plan), call="007")
    (second,) = record.followed_by
    first_started, second_started = record.timeline.first(CallStarted), second.timeline.first(CallStarted)
    assert first_started is not None
    assert second_started is not None
    assert (record.id, second.id, second_started.continues) == ("007", "007-2", "007")
    assert first_started.ufrag != second_started.ufrag
    lost, resumed = record.timeline.first(CallLost), record.timeline.first(CallResumed)
    assert lost is not None
    assert resumed is not None
    assert lost.by.startswith("channel clos")
    assert (resumed.call, resumed.ufrag, resumed.failed) == ("007-2", second_started.ufrag, "")
    assert lost.at <= resumed.asked_at <= resumed.at
    for each in (record, second):
        assert each.timeline.first(CallEnded) is not None
        assert each.timeline.first(CallEnded, side="upstream") is not None


async def test_many_reconnects_in_a_row_leak_no_call_socket_task_or_thread(context: CallContext) -> None:
    async def lose_every_call(caller: Caller) -> None:
        again = caller.call_again
        assert again is not None
        assert await caller.reconnect.will_lose_call("channel-closed", 0.05)
        await caller.connect()
        for number in range(RECONNECTS):
            if number == RECONNECTS - 1:
                caller.call_again = again  # the last call is hung up in peace
            else:
                caller.call_again = partial(doomed, again)
            await caller.reconnect.come_back()
        await caller.hang_up()

    def doomed(again: CallAgain, line: CallLine | None) -> CallLine:
        made = again(line)

        async def exchange(offer: str) -> str | None:
            assert context.upstream is not None
            await context.upstream.plant("channel-closed", made.end.ufrag, 0.05)
            return await made.exchange(offer)

        return replace(made, exchange=exchange)

    await make_call(context, scenario_of(_once), call="000")  # what is loaded once, is loaded now
    tasks, threads, files = asyncio.all_tasks(), own_threads(), open_files()
    record = await make_call(context, scenario_of(lose_every_call), call="001")
    assert len(record.followed_by) == RECONNECTS
    ends = [each.timeline.first(CallEnded, side="upstream") for each in (record, *record.followed_by)]
    assert None not in ends
    started = [each.timeline.first(CallStarted) for each in (record, *record.followed_by)]
    ufrags = {event.ufrag for event in started if event}
    calls = [call for call in await calls_at_the_fake(context) if call["ufrag"] in ufrags]
    assert len(calls) == 1 + RECONNECTS
    assert not [call for call in calls if call["state"] == "live"]
    await until(lambda: asyncio.all_tasks() <= tasks)
    # One connection to the fake's management may be kept for the next question.
    await until(lambda: open_files() <= files + 2)
    assert own_threads() <= threads


async def _once(caller: Caller) -> None:
    await caller.connect()
    await caller.reconnect.make_another_call()
    await caller.hang_up()


async def test_a_new_call_is_on_the_same_network(context: CallContext) -> None:
    async def plan(caller: Caller) -> None:
        caller.network.impair(up=Impairment(delay_ms=15), down=Impairment(delay_ms=15))
        await caller.connect()
        await caller.reconnect.make_another_call()
        await caller.hang_up()

    record = await make_call(context, scenario_of(plan), call="001")
    for each in (record, *record.followed_by):
        checking = each.timeline.state("ice", "checking")
        connected = each.timeline.state("ice", "connected")
        assert checking is not None
        assert connected is not None
        assert connected.at - checking.at >= 0.03  # there and back


async def test_without_a_new_call_every_attempt_is_recorded_and_the_last_one_says_why(
    context: CallContext,
) -> None:
    async def plan(caller: Caller) -> None:
        await caller.connect()
        again = caller.call_again
        assert again is not None

        caller.call_again = lambda line: replace(again(line), exchange=_no_answer)
        await caller.reconnect.make_another_call()

    record = await make_call(context, scenario_of(plan), call="001")
    resumed = record.timeline.first(CallResumed)
    assert resumed is not None
    assert (resumed.attempts, resumed.failed) == (3, "no answer")
    assert len(record.followed_by) == 3
    reasons = [each.timeline.last(CallEnded) for each in record.followed_by]
    assert [end.reason if end else "" for end in reasons][:2] == ["no answer", "no answer"]


async def _no_answer(_offer: str) -> None:
    return None


async def test_the_spare_relay_restarts_at_its_address_while_the_other_serves_on(
    context: CallContext,
) -> None:
    async def plan(caller: Caller) -> None:
        await caller.connect()
        urls.append(caller.line.target.url)
        await caller.reconnect.restart_relay()
        await caller.reconnect.make_another_call()
        urls.append(caller.line.target.url)
        await caller.hang_up()

    urls: list[str] = []
    record = await make_call(context, scenario_of(plan, restarts_relay=True), call="001")
    assert urls[0] == urls[1] != context.target.url
    assert record.timeline.first(RelayRestarted) is not None
    dropped = record.timeline.first(StateChanged, where=lambda e: (e.layer, e.state) == ("dtls", "failed"))
    assert dropped is None
    assert len(record.followed_by) == 1


async def test_a_relay_that_may_not_be_restarted_is_left_alone(context: CallContext) -> None:
    async def plan(caller: Caller) -> None:
        await caller.reconnect.restart_relay()
        await caller.hang_up()

    record = await make_call(context, scenario_of(plan), call="001")
    assert record.timeline.first(RelayRestarted) is None


async def test_a_herd_is_made_of_calls_with_timelines_of_their_own(context: CallContext) -> None:
    async def plan(caller: Caller) -> None:
        await caller.reconnect.come_back_as_herd(3, spread=0)
        await caller.hang_up()

    record = await make_call(context, scenario_of(plan), call="001")
    herd = record.timeline.first(HerdCame)
    assert herd is not None
    assert (herd.callers, len(herd.waits), herd.refusals) == (3, 3, ())
    assert len(record.followed_by) == 3
    assert all(each.timeline.state("channel", "open") for each in record.followed_by)


async def test_a_black_box_is_asked_for_nothing_that_needs_the_fake(context: CallContext) -> None:
    async def plan(caller: Caller) -> None:
        assert not await caller.reconnect.will_lose_call("channel-closed")
        await caller.reconnect.come_back_as_herd(3, spread=0)
        await caller.hang_up()

    record = await make_call(replace(context, upstream=None), scenario_of(plan), call="001")
    assert record.timeline.first(HerdCame) is None
    assert record.followed_by == ()
