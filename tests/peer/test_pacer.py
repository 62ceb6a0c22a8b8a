from __future__ import annotations

import asyncio
import itertools
import logging
from collections import Counter
from functools import partial

import pytest

from harness.core.audio_format import FRAME_SECONDS
from harness.core.clock import MonotonicClock
from harness.peer.pacer import FULL_PHASE, PHASE_SECONDS, PHASES, Pacer


async def ticks_of(count: int, pacer: Pacer) -> list[float]:
    deadlines: list[float] = []
    done = asyncio.Event()

    def tick(deadline: float) -> None:
        deadlines.append(deadline)
        if len(deadlines) == count:
            done.set()

    remove = pacer.add(tick)
    await asyncio.wait_for(done.wait(), 10)
    remove()
    return deadlines[:count]  # a loop that was late makes up for it with more at once


async def test_deadlines_are_exactly_one_frame_apart() -> None:
    deadlines = await ticks_of(20, Pacer(asyncio.get_running_loop()))
    steps = [b - a for a, b in itertools.pairwise(deadlines)]
    assert steps == pytest.approx([FRAME_SECONDS] * 19)


async def test_a_blocked_loop_loses_no_tick_and_does_not_drift() -> None:
    clock = MonotonicClock()
    pacer = Pacer(asyncio.get_running_loop())

    def block() -> None:
        until = clock.now() + 0.15
        while clock.now() < until:
            pass

    asyncio.get_running_loop().call_later(0.05, block)
    before = clock.now()
    deadlines = await ticks_of(30, pacer)
    # None is missing and none is moved, so the last is where the clock is, however late we looked.
    assert [b - a for a, b in itertools.pairwise(deadlines)] == pytest.approx([FRAME_SECONDS] * 29)
    assert before + 30 * FRAME_SECONDS <= deadlines[-1] + 1e-6 <= clock.now() + 1e-3
    assert pacer.lateness_ms(100) > 50


async def test_a_late_pacer_does_not_make_up_to_a_stream_for_what_was_before_it() -> None:
    """Its packets would go out in a burst, and its audio run ahead of the clock."""
    clock = MonotonicClock()
    pacer = Pacer(asyncio.get_running_loop())
    remove = pacer.add(lambda _deadline: None)
    until = clock.now() + 0.2
    while clock.now() < until:
        pass
    joined = clock.now()
    deadlines = await ticks_of(5, pacer)
    remove()
    assert deadlines[0] > joined


async def test_streams_share_a_wake_up_until_they_are_too_many_for_one_burst() -> None:
    pacer = Pacer(asyncio.get_running_loop())
    first: dict[int, float] = {}

    def note(stream: int, deadline: float) -> None:
        first.setdefault(stream, deadline)

    removes = [pacer.add(partial(note, stream)) for stream in range(FULL_PHASE + 10)]
    await ticks_of(3, pacer)
    for remove in removes:
        remove()
    at = Counter(round((deadline - first[0]) / PHASE_SECONDS) % PHASES for deadline in first.values())
    assert sorted(at.values()) == [10, FULL_PHASE]


async def test_the_loops_pacer_is_shared() -> None:
    assert Pacer.shared() is Pacer.shared()


async def test_a_stream_that_fails_is_taken_out_and_the_others_run_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pacer = Pacer(asyncio.get_running_loop())

    def broken(_deadline: float) -> None:
        raise RuntimeError("planted")

    pacer.add(broken)
    with caplog.at_level(logging.ERROR):
        assert len(await ticks_of(3, pacer)) == 3
    assert len([r for r in caplog.records if "taken out" in r.message]) == 1


async def test_the_owner_of_a_stream_that_fails_is_told_once() -> None:
    pacer = Pacer(asyncio.get_running_loop())
    told: list[Exception] = []

    def broken(_deadline: float) -> None:
        raise RuntimeError("planted")

    pacer.add(broken, told.append)
    await ticks_of(3, pacer)
    assert [str(error) for error in told] == ["planted"]


async def test_an_idle_pacer_leaves_no_timer_behind() -> None:
    pacer = Pacer(asyncio.get_running_loop())
    await ticks_of(2, pacer)
    assert pacer._handle is None


def test_lateness_of_nothing_is_zero() -> None:
    loop = asyncio.new_event_loop()
    assert Pacer(loop).lateness_ms(99) == 0
    loop.close()
