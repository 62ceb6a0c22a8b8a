from __future__ import annotations

import asyncio
import time

from harness.peer.stalls import LEAST_SECONDS, StallWatch


async def test_a_loop_that_stood_still_is_told_of_for_about_as_long_as_it_did() -> None:
    told: list[float] = []
    unlisten = StallWatch.shared().listen(told.append)
    await asyncio.sleep(0)
    time.sleep(0.5)  # noqa: ASYNC251  (the stall)
    while not told:
        await asyncio.sleep(0.01)
    unlisten()
    assert StallWatch.shared().within(10.0) == told
    assert StallWatch.shared().within(0.0) == []
    assert told[0] >= 0.5 - 0.1 - 0.01  # less what was left until the next beat
    assert told[0] > LEAST_SECONDS


async def test_whoever_is_served_first_after_a_stall_is_told_of_it_too() -> None:
    unlisten = StallWatch.shared().listen(lambda _seconds: None)
    await asyncio.sleep(0)
    time.sleep(0.5)  # noqa: ASYNC251  (the stall)
    (stall,) = StallWatch.shared().ended_within(10.0)  # before the loop had its timers
    unlisten()
    assert stall.ago == 0.0
    assert stall.seconds >= 0.5 - 0.1 - 0.01


async def test_nobody_is_told_after_having_left_and_no_timer_stays() -> None:
    told: list[float] = []
    watch = StallWatch.shared()
    one, other = watch.listen(told.append), watch.listen(told.append)
    one()
    other()
    other()  # twice does no harm
    time.sleep(0.4)  # noqa: ASYNC251  (the stall)
    await asyncio.sleep(0.15)
    assert told == []
    assert watch._handle is None


async def test_there_is_one_watch_for_a_loop() -> None:
    assert StallWatch.shared() is StallWatch.shared()
