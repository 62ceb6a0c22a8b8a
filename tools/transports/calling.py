"""The caller, a program on its own machine: makes a call for each line that it is given.

`python -m tools.transports.calling` reads orders from standard input, one JSON object each, and tells what
happens in the same way: `ready` (a line lets it begin), `dark` (now the network may go), `over`, and `done`
with the figures.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop

from harness.call import Caller, Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.config.run import run_settings
from harness.core.collector import freeze_loaded
from harness.core.events import CallEnded, Event, UtteranceStarted
from harness.core.naming import name_of
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedPair
from tools.transports.measuring import lateness, measured, spoilt

QUESTIONS = ("es-f-order", "es-f-followup")
SHORT = "en-m-yes"
PATIENCE = 12.0  # seconds for an answer
DARK_AFTER = 1.0  # seconds of the reply, or of the question
NOTICED_SECONDS = 2.0  # within which the far end should know that a call is over
TASTE = 1.5  # seconds of the second reply: enough to know that it comes


def tell(kind: str, **what: Any) -> None:
    """One line for whoever started us."""
    sys.stdout.write(json.dumps({"is": kind, **what}) + "\n")
    sys.stdout.flush()


async def told() -> dict[str, Any] | None:
    """The next line; None where there is none."""
    line = await asyncio.to_thread(sys.stdin.readline)
    return json.loads(line) if line.strip() else None


def conversation(dark: str, *, short: bool = False) -> Scenario:
    """Two questions; of the second reply only the beginning is waited for. A short one has one short one."""

    async def plan(caller: Caller) -> None:
        await caller.connect()
        await caller.say(SHORT if short else QUESTIONS[0])
        await caller.is_answered(PATIENCE)
        if short:
            await caller.stay_silent(TASTE)
            return
        if dark == "reply":
            await asyncio.sleep(DARK_AFTER)
            tell("dark")
        await caller.hear_reply()
        await caller.say(QUESTIONS[1])
        heard, spoken = caller.line.end.heard, caller.line.now()
        await caller.until(lambda: heard.last_audible > spoken, "the second reply", PATIENCE)
        await caller.stay_silent(TASTE)
        await caller.hang_up()

    return Scenario("transports", "Two questions", plan, ())


async def call(order: dict[str, Any]) -> None:
    """One call, from its own connection on: a page's first."""
    settings = run_settings(target=order["url"], fake_openai=order["fake"], seed=order["seed"])
    # A live microphone is never quite silent, which a compressed WebSocket would make much of.
    timeouts = replace(settings.timeouts, hang_up=NOTICED_SECONDS)
    settings = replace(settings, timeouts=timeouts, comfort_noise=True)
    loop = asyncio.get_running_loop()
    cpu = 0.0

    def watch(_: Timeline, event: Event) -> None:
        if isinstance(event, CallEnded) and event.side == "caller":
            tell("over", cpu=time.process_time() - cpu, at=event.at)
        is_second = isinstance(event, UtteranceStarted) and event.clip == QUESTIONS[1]
        if is_second and order["dark"] == "speech":
            loop.call_later(DARK_AFTER, tell, "dark")

    async with CallContext.open(settings, EmbeddedPair.for_run) as context:
        for clip in (*QUESTIONS, SHORT):  # read before anything is timed
            assert context.library.clip(clip).samples is not None
            assert context.library.clip(clip).packets
        tell("ready")
        await told()
        cpu = time.process_time()
        plan = conversation(order["dark"], short=order["short"])
        record = await make_call(context, plan, call=order["call"], watch=watch)
        released = await let_go(context, record.timeline, order["key"])
    timeline = record.timeline
    if order["keep"]:
        await asyncio.to_thread(Path(order["keep"]).write_text, timeline.to_jsonl(), encoding="utf-8")
    figures = {**measured(timeline), "released": released}
    tell("done", figures={**figures, "lateness_p99_ms": lateness(timeline), "spoilt": spoilt(timeline)})


async def let_go(context: CallContext, timeline: Timeline, key: str) -> bool:
    """Whether the far end had noticed that the call was over; now it is told."""
    assert context.upstream is not None
    live = [each for each in await context.upstream.calls(name_of(timeline), events=False) if each.live]
    for each in live:
        await context.client.post(
            f"{context.upstream.base}/v1/realtime/calls/{each.id}/hangup",
            headers={"Authorization": f"Bearer {key}"},
        )
    return not live


async def calls() -> None:
    """Until no more orders come."""
    freeze_loaded()
    tell("up")
    while (order := await told()) is not None:
        await call(order)


if __name__ == "__main__":
    uvloop.run(calls())
