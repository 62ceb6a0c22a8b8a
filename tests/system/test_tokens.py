"""A token relay's faults in real calls, one relay for each; and a faultless one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import uvloop
from pydantic import SecretStr

from harness.call import Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.config.run import run_settings
from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.settings import TOKEN_PATH, RelaySettings
from harness.fakes.serving import running
from harness.requirements import REGISTRY, Outcome, judge
from tests.system.calling import was_late
from tests.system.planted_tokens import (
    CALLER_TOKEN,
    CONFIGURED,
    ORIGIN,
    PLANS,
    PLANTED,
    brings_a_session,
    calls_with_a_key,
    minting,
)

pytestmark = pytest.mark.timeout(200)  # the first test waits for all calls

TIMEOUTS = Timeouts(connect=3.0, answer=3.0, hang_up=4.0)
FAULTLESS = {"faultless": calls_with_a_key, "faultless, with a session": brings_a_session}


@pytest.fixture(scope="module")
def timelines() -> dict[str, Timeline]:
    """A real call for each."""
    made = uvloop.run(_calls([*PLANTED, *FAULTLESS]))
    late = [f for f, timeline in made.items() if was_late(timeline) and list(found_in(timeline)) != [f]]
    return made | (uvloop.run(_calls(late)) if late else {})  # what could not be told is made once more


async def _calls(findings: list[str]) -> dict[str, Timeline]:
    with EmbeddedPair(EmbeddedOptions()) as pair:
        settings = replace(run_settings(target=pair.fake, fake_openai=pair.fake, seed=3), timeouts=TIMEOUTS)
        places = asyncio.Semaphore(4)

        async def call(finding: str) -> Timeline:
            faults = PLANTED.get(finding, ())
            own = RelaySettings(
                pair.fake,
                pair.options.api_key,
                faults=faults,
                origins=(ORIGIN,),
                bearer_token=CALLER_TOKEN,
            )
            plan = PLANS.get(finding) or FAULTLESS.get(finding) or calls_with_a_key
            async with places, running(ReferenceRelay(own).app) as url:
                fields = minting(f"{url}{TOKEN_PATH}", bearer=SecretStr(CALLER_TOKEN))
                target = Target(**fields | CONFIGURED.get(finding, {}))
                asked = replace(settings, target=target)
                async with CallContext.open(asked, EmbeddedPair.for_run) as context:
                    record = await make_call(context, Scenario("mints", "Mints", plan, ()), call=finding)
            return record.timeline

        made = await asyncio.gather(*(call(finding) for finding in findings))
    return dict(zip(findings, made, strict=True))


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


@pytest.mark.parametrize("name", FAULTLESS)
def test_a_faultless_token_relay_passes(name: str, timelines: dict[str, Timeline]) -> None:
    assert found_in(timelines[name]) == {}
    passed = {v.id for v in judge([timelines[name]], REGISTRY) if v.outcome == Outcome.PASSED}
    looked_at = {r.id for r in REGISTRY if r.area == "token"} - {"token.session-not-chosen"}
    assert (looked_at if name == "faultless" else {"token.session-not-chosen"}) <= passed


@pytest.mark.parametrize("name", [*PLANTED, *FAULTLESS])
def test_a_saved_call_is_judged_alike_and_holds_no_key(name: str, timelines: dict[str, Timeline]) -> None:
    text = timelines[name].to_jsonl()
    assert found_in(Timeline.from_jsonl(text)) == found_in(timelines[name])
    shown = text if isinstance(text, str) else text.decode()
    for secret in (CALLER_TOKEN, "sk-that-the-page-should-not-have", "sk-embedded-"):
        assert secret not in shown


def test_every_cause_of_the_area_is_planted() -> None:
    causes = {f"{r.id}: {slug}" for r in REGISTRY if r.area == "token" for slug in r.causes}
    assert causes == set(PLANTED)
