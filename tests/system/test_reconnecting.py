"""Each cause about lost and regained calls, provoked by a planted fault in a real call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import httpx
import pytest
import uvloop

from harness.call import Caller, Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.config.run import run_settings
from harness.config.timeouts import Timeouts
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedPair
from harness.requirements import REGISTRY, Outcome, judge
from tests.system.calling import until_told
from tests.system.planted_reconnecting import ONE_AFTER_THE_OTHER, PLANTED, Plan, Planting

pytestmark = pytest.mark.timeout(300)  # the first test waits for all calls

LIMITS = {"response_s": 1.5, "release_s": 3.0, "recover_s": 6.5}
TIMEOUTS = Timeouts(ice=1.5, channel=2.0, created=2.0, turn=3.0, hang_up=4.0)


@pytest.fixture(scope="module")
def timelines() -> dict[str, Timeline]:
    """A real call for each."""
    findings = list(PLANTED)
    made = until_told(
        findings,
        lambda some, side_by_side: uvloop.run(_calls(some, side_by_side)),
        lambda finding, timeline: lifecycle_findings(timeline) == [finding],
    )
    return dict(zip(findings, made, strict=True))


def lifecycle_findings(timeline: Timeline) -> list[str]:
    return [
        f"{v.id}: {v.cause}"
        for v in judge([timeline], REGISTRY)
        if v.outcome in (Outcome.FAILED, Outcome.WARNED) and v.id.startswith("lifecycle.")
    ]


async def _calls(findings: Sequence[str], side_by_side: int) -> list[Timeline]:
    settings = replace(run_settings(seed=4, limits=LIMITS), timeouts=TIMEOUTS)
    async with (
        CallContext.open(settings, EmbeddedPair.for_run) as context,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        at = Planting(context, client)
        places = asyncio.Semaphore(side_by_side)

        async def call(plan: Plan) -> Timeline:
            async def planted(caller: Caller) -> None:
                await plan(caller, at)

            name = plan.__name__
            restarts = "relay_that" in name
            async with places:
                record = await make_call(context, Scenario(name, name, planted, (), (), restarts), call=name)
            return record.timeline

        together = [f for f in findings if PLANTED[f] not in ONE_AFTER_THE_OTHER]
        found = dict(zip(together, await asyncio.gather(*(call(PLANTED[f]) for f in together)), strict=True))
        for finding in findings:
            if PLANTED[finding] in ONE_AFTER_THE_OTHER:
                found[finding] = await call(PLANTED[finding])
    return [found[finding] for finding in findings]


@pytest.mark.parametrize("finding", PLANTED)
def test_a_planted_fault_leads_to_its_finding(finding: str, timelines: dict[str, Timeline]) -> None:
    verdicts = judge([timelines[finding]], REGISTRY)
    assert lifecycle_findings(timelines[finding]) == [finding], [
        v.explanation for v in verdicts if v.outcome == Outcome.FAILED
    ]
    assert not [v for v in verdicts if v.outcome == Outcome.ERROR]


@pytest.mark.parametrize("finding", PLANTED)
def test_a_saved_call_is_judged_as_it_was(finding: str, timelines: dict[str, Timeline]) -> None:
    saved = Timeline.from_jsonl(timelines[finding].to_jsonl())
    assert [(v.id, v.outcome) for v in judge([saved], REGISTRY)] == [
        (v.id, v.outcome) for v in judge([timelines[finding]], REGISTRY)
    ]
