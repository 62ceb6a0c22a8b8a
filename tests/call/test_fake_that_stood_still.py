"""A relay whose upstream was the harness's own fake, and stood still, is not to blame for giving up on it."""

from __future__ import annotations

import asyncio
import os
import signal

import httpx

from harness.call import Caller, Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.config.run import run_settings
from harness.core.events import HttpResponse, Stalled, UpstreamUnavailable
from harness.fakes.embedded import EmbeddedPair
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.settings import SESSION_PATH, RelaySettings
from harness.fakes.serving import running
from harness.requirements import REGISTRY, Outcome, judge

GIVES_UP = 0.5  # seconds that the relay waits for its upstream


async def connects(caller: Caller) -> None:
    await caller.connect()
    await caller.hang_up()


async def test_a_relay_that_gives_up_on_a_fake_that_stands_still_is_not_blamed() -> None:
    loop = asyncio.get_running_loop()
    async with EmbeddedPair() as pair, httpx.AsyncClient() as client:
        process = (await client.get(f"{pair.fake}/_fake/health")).json()["process"]
        settings = RelaySettings(
            upstream=f"{pair.fake}/v1", api_key=pair.options.api_key, upstream_seconds=GIVES_UP
        )
        async with running(ReferenceRelay(settings).app) as relay:
            run = run_settings(target=f"{relay}{SESSION_PATH}", fake_openai=pair.fake, seed=1)
            async with CallContext.open(run, EmbeddedPair.for_run) as context:
                os.kill(process, signal.SIGSTOP)
                loop.call_later(GIVES_UP + 1.5, os.kill, process, signal.SIGCONT)
                scenario = Scenario("connects", "A call of this test.", connects, ("signaling",))
                timeline = (await make_call(context, scenario, call="001")).timeline
    assert timeline.first(UpstreamUnavailable) is None
    answer = timeline.first(HttpResponse)
    assert answer is not None
    assert answer.status >= 500
    assert sum(stall.seconds for stall in timeline.all(Stalled, side="upstream")) >= 1.0
    verdicts = judge([timeline], REGISTRY)
    assert [f"{v.id}: {v.cause}" for v in verdicts if v.outcome in (Outcome.FAILED, Outcome.WARNED)] == []
    doubts = [v for v in verdicts if v.outcome == Outcome.INCONCLUSIVE]
    assert any("the fake stood still" in v.explanation for v in doubts)
