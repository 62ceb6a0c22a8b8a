"""Calls of ten minutes, as people make them."""

from __future__ import annotations

from harness.call import Caller
from harness.core.events import CallEnded, ChecksCounted
from harness.core.timeline import Timeline

SECONDS = 600.0
PAUSE = 118.0


async def hardly_speaks(caller: Caller) -> None:
    """Once at the beginning, once at the end."""
    await caller.connect()
    await _take_turn(caller)
    await caller.stay_silent(SECONDS)
    await _take_turn(caller)
    await caller.hang_up()


async def speaks_every_two_minutes(caller: Caller) -> None:
    await caller.connect()
    for _ in range(5):
        await _take_turn(caller)
        await caller.stay_silent(PAUSE)
    await _take_turn(caller)
    await caller.hang_up()


async def _take_turn(caller: Caller) -> None:
    await caller.say("en-m-yes")
    await caller.hear_reply()


def connected_seconds(timeline: Timeline) -> float:
    """From the channel's opening to the call's end, as planned or not."""
    opened, ended = timeline.state("channel", "open"), timeline.last(CallEnded)
    return ended.at - opened.at if opened is not None and ended is not None else 0.0


def lost(timeline: Timeline) -> bool:
    """Whether ICE failed."""
    return timeline.state("ice", "failed") is not None


def checks_answered(timeline: Timeline) -> int:
    """So many of ours."""
    counted = timeline.last(ChecksCounted)
    return counted.answered if counted else 0
