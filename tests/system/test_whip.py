"""A WHIP server's faults in real calls, one relay for each in front of one fake; and faultless ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
import uvloop
from pydantic import SecretStr

from harness.call import Caller, Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.config.run import run_settings
from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.events import CallEnded, HttpRequest, WhipSession
from harness.core.probes import HANG_UP, WHIP_END
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.settings import WHIP_PATH, RelaySettings
from harness.fakes.serving import running
from harness.requirements import REGISTRY, Level, Outcome, judge
from tests.system.calling import until_told
from tests.system.planted_whip import CALLER_TOKEN, ORIGIN, PLANTED, has_a_session

pytestmark = pytest.mark.timeout(200)  # the first test waits for all calls

TIMEOUTS = Timeouts(connect=3.0, answer=3.0, hang_up=4.0)
LIMITS = {"release_s": 1.5}


async def connects(caller: Caller) -> None:
    """An ordinary call: its hang-up is all that ends it."""
    await caller.connect()
    await caller.hang_up()


async def is_cut_short(caller: Caller) -> None:
    """The plan ends before its hang-up."""
    await caller.connect()
    await caller.wait_for("never.sent", within=0.01)


FAULTLESS = {"faultless": has_a_session, "ordinary": connects, "cut short": is_cut_short}


@pytest.fixture(scope="module")
def timelines() -> dict[str, Timeline]:
    """A real call for each."""

    def make(some: Sequence[str], side_by_side: int) -> list[Timeline]:
        return uvloop.run(_calls(some, side_by_side))

    names = [*PLANTED, *FAULTLESS]
    return dict(zip(names, until_told(names, make, _is_right), strict=True))


def _is_right(name: str, timeline: Timeline) -> bool:
    return list(found_in(timeline)) == ([name] if name in PLANTED else [])


async def _calls(findings: Sequence[str], side_by_side: int) -> list[Timeline]:
    with EmbeddedPair(EmbeddedOptions()) as pair:
        settings = run_settings(target=pair.fake, fake_openai=pair.fake, seed=3)
        settings = replace(settings, timeouts=TIMEOUTS, limits={**settings.limits, **LIMITS})
        places = asyncio.Semaphore(side_by_side)

        async def call(finding: str) -> Timeline:
            own = RelaySettings(
                pair.fake,
                pair.options.api_key,
                faults=PLANTED.get(finding, ()),
                origins=(ORIGIN,),
                bearer_token=CALLER_TOKEN,
            )
            plan = FAULTLESS.get(finding, has_a_session)
            async with places, running(ReferenceRelay(own).app) as url:
                target = Target(
                    f"{url}{WHIP_PATH}", dialect="whip", bearer=SecretStr(CALLER_TOKEN), origin=ORIGIN
                )
                asked = replace(settings, target=target)
                async with CallContext.open(asked, EmbeddedPair.for_run) as context:
                    record = await make_call(context, Scenario("whip", "WHIP", plan, ()), call=finding)
            return record.timeline

        return await asyncio.gather(*(call(finding) for finding in findings))


def found_in(timeline: Timeline) -> dict[str, str]:
    verdicts = judge([timeline], REGISTRY)
    assert [v for v in verdicts if v.outcome == Outcome.ERROR] == []
    return {
        f"{v.id}: {v.cause}": v.explanation for v in verdicts if v.outcome in (Outcome.FAILED, Outcome.WARNED)
    }


@pytest.mark.parametrize("finding", PLANTED)
def test_a_planted_fault_leads_to_its_finding_and_to_no_other(
    finding: str, timelines: dict[str, Timeline]
) -> None:
    found = found_in(timelines[finding])
    assert list(found) == [finding], found


def test_a_faultless_server_passes_in_all_that_the_area_has(timelines: dict[str, Timeline]) -> None:
    assert found_in(timelines["faultless"]) == {}
    passed = {v.id for v in judge([timelines["faultless"]], REGISTRY) if v.outcome == Outcome.PASSED}
    # It names no ICE servers: both ends are on this machine.
    assert {r.id for r in REGISTRY if r.area == "whip"} - {"whip.ice-servers"} <= passed


@pytest.mark.parametrize("name", ["ordinary", "cut short"])
def test_hanging_up_ends_the_session_before_the_connection(name: str, timelines: dict[str, Timeline]) -> None:
    timeline = timelines[name]
    asked = timeline.all(HttpRequest, where=lambda e: e.purpose == WHIP_END)
    assert [(e.method, e.url.rpartition("/")[0].endswith(WHIP_PATH)) for e in asked] == [("DELETE", True)]
    told = timeline.all(HttpRequest, side="upstream", where=lambda e: e.purpose == HANG_UP)
    ended = timeline.first(CallEnded, side="upstream")
    assert len(told) == 1
    assert ended is not None
    assert "hang" in ended.reason
    assert found_in(timeline) == {}


def test_a_text_answer_is_a_fault_only_where_the_target_speaks_whip(timelines: dict[str, Timeline]) -> None:
    timeline = timelines["signaling.answer-media-type: wrong-media-type"]

    def level(some: Timeline) -> Level | None:
        (verdict,) = judge([some], REGISTRY.select(ids=["signaling.answer-media-type"]))
        return verdict.level if verdict.outcome in (Outcome.FAILED, Outcome.WARNED) else None

    assert level(timeline) == Level.MUST
    assert level(Timeline(e for e in timeline if not isinstance(e, WhipSession))) is None


@pytest.mark.parametrize("name", [*PLANTED, *FAULTLESS])
def test_a_saved_call_is_judged_alike_and_holds_no_token(name: str, timelines: dict[str, Timeline]) -> None:
    text = timelines[name].to_jsonl()
    assert found_in(Timeline.from_jsonl(text)) == found_in(timelines[name])
    assert CALLER_TOKEN not in (text if isinstance(text, str) else text.decode())


def test_every_cause_of_the_area_is_planted() -> None:
    causes = {f"{r.id}: {slug}" for r in REGISTRY if r.area == "whip" for slug in r.causes}
    assert causes == {finding for finding in PLANTED if finding.startswith("whip.")}
