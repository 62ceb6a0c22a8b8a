"""Questions and news between two processes, here between two ends in one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from harness.core.errors import HarnessError
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.workers.channel import Answer, WorkerChannel, WorkerChannelClosedError
from harness.fakes.openai.workers.messages import Done, Ended, Message, Met, Reset, ShowCalls, Shown, Start
from tests.fakes.callers import quick


async def silent(_message: Message) -> Message | None:
    return None


@asynccontextmanager
async def channels(answer: Answer) -> AsyncIterator[tuple[WorkerChannel, WorkerChannel]]:
    """Ours, and theirs that answers so."""
    ours, theirs = [
        await WorkerChannel.on(end, by) for end, by in zip(socket.socketpair(), (silent, answer), strict=True)
    ]
    running = [asyncio.create_task(channel.run()) for channel in (ours, theirs)]
    try:
        yield ours, theirs
    finally:
        ours.close()
        await asyncio.gather(*running)
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_replies_find_their_questions_in_any_order() -> None:
    """A slow answer holds up no other, and a large one arrives whole."""
    later = asyncio.Event()

    async def answer(message: Message) -> Message | None:
        if isinstance(message, Reset):
            await later.wait()
            return Done()
        later.set()
        return Shown(found=[{"id": "x" * 3_000_000}])

    async with channels(answer) as (ours, _theirs):
        slow = asyncio.create_task(ours.ask(Reset(), Done))
        await asyncio.sleep(0)
        shown = await ours.ask(ShowCalls(chosen={}, events=True), Shown)
        assert len(shown.found[0]["id"]) == 3_000_000
        assert await slow == Done()


async def test_news_come_in_their_order_and_before_a_later_question() -> None:
    """So that a call does not end before it began."""
    heard: list[Message] = []

    async def answer(message: Message) -> Message | None:
        heard.append(message)
        return Done()

    async with channels(answer) as (ours, _theirs):
        told = [Ended(call={"id": str(number)}) for number in range(20)]
        for news in told:
            ours.tell(news)
        await ours.ask(Reset(), Done)
        assert heard == [*told, Reset()]


@pytest.mark.parametrize(
    "settings", [FakeSettings(), quick(seed=3, api_keys=("sk-1",), voice="echo", addresses=None)]
)
async def test_settings_arrive_as_they_are(settings: FakeSettings) -> None:
    """All of them."""
    heard: list[Message] = []

    async def answer(message: Message) -> Message | None:
        heard.append(message)
        return Done()

    async with channels(answer) as (ours, _theirs):
        start = Start(settings=settings, index=1, workers=2)
        await ours.ask(start, Done)
        assert heard == [start]


async def test_no_answer_and_a_wrong_answer_are_errors_of_ours() -> None:
    """In time, and with the question's name."""

    async def answer(message: Message) -> Message | None:
        return Done() if isinstance(message, Reset) else None

    async with channels(answer) as (ours, _theirs):
        with pytest.raises(HarnessError, match="Reset was answered by Done"):
            await ours.ask(Reset(), Met)
        with pytest.raises(HarnessError, match=r"no answer to ShowCalls within 0\.05 s"):
            await ours.ask(ShowCalls(chosen={}, events=False), Shown, within=0.05)


async def test_who_waits_learns_that_the_other_end_is_gone() -> None:
    """And nothing more can be said."""
    async with channels(silent) as (ours, theirs):
        waiting = asyncio.create_task(ours.ask(Reset(), Done))
        await asyncio.sleep(0)
        theirs.close()
        with pytest.raises(WorkerChannelClosedError):
            await waiting
        with pytest.raises(WorkerChannelClosedError):
            ours.tell(Reset())
