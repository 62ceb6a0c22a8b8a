from __future__ import annotations

import threading
from collections.abc import AsyncIterator

import httpx
import numpy as np
import pytest

from harness.call import Scenario
from harness.call.conduct import CallRecord
from harness.call.usage import UsageWatch
from harness.config.hooks import UsageEndpoint
from harness.config.target import Target
from harness.core.events import CallWithheld, UsageTold
from harness.core.timeline import Timeline
from harness.requirements import REGISTRY, Outcome, Verdict, judge
from harness.requirements.bills import call_cost_usd, call_tokens
from tests.support.timelines import call_started, healthy_call
from tests.support.usage import FakeUsage, fake_usage

COST = call_cost_usd(healthy_call()) or 0.0
TOKENS = call_tokens(healthy_call())


async def nothing(_caller: object) -> None:
    return


def record(timeline: Timeline, *after: CallRecord) -> CallRecord:
    return CallRecord(Scenario("one", "One.", nothing, ()), timeline, np.zeros(0, np.int16), after)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as opened:
        yield opened


async def begin(
    usage: FakeUsage,
    client: httpx.AsyncClient,
    *,
    unit: str = "usd",
    within: float = 5.0,
    settle: float = 0.4,
) -> UsageWatch:
    endpoint = UsageEndpoint(usage.url, usage.NUMBER, unit, within, settle)  # type: ignore[arg-type]  # a text
    watch = await UsageWatch.begin(Target("http://127.0.0.1:9/session", usage=endpoint), client)
    assert watch is not None
    return watch


def verdict(*records: CallRecord) -> Verdict:
    timelines = [each.timeline for first in records for each in (first, *first.followed_by)]
    (found,) = judge(timelines, [REGISTRY.get("cost.usage-agrees")])
    return found


async def test_a_target_without_an_endpoint_is_not_asked(client: httpx.AsyncClient) -> None:
    assert await UsageWatch.begin(Target("http://127.0.0.1:9/session"), client) is None
    found = verdict(record(healthy_call()))
    assert found.outcome == Outcome.NOT_APPLICABLE
    assert "has no usage endpoint" in found.explanation


@pytest.mark.parametrize(("unit", "each"), [("usd", COST), ("tokens", float(TOKENS))])
async def test_a_count_of_all_calls_agrees(unit: str, each: float, client: httpx.AsyncClient) -> None:
    """Those that a scenario made after its first are counted, too."""
    records = [record(healthy_call(), record(healthy_call())), record(healthy_call())]
    with fake_usage(100.0, 100.0 + 3 * each) as usage:
        told = await (await begin(usage, client, unit=unit)).end(records)
    assert (told.before, told.after, told.settled, len(told.calls)) == (100.0, 100.0 + 3 * each, True, 3)
    found = verdict(*records)
    assert found.outcome == Outcome.OBSERVED
    assert found.observation is not None
    assert found.observation.values == pytest.approx((0.0,), abs=1e-6)
    assert "its endpoint counted" in found.explanation


async def test_a_count_that_lags_is_waited_for(client: httpx.AsyncClient) -> None:
    with fake_usage(1.0, 1.0, 1.0, 1.0, 1.0 + COST) as usage:
        told = await (await begin(usage, client, settle=60.0 / 20)).end([one := record(healthy_call())])
    assert (told.after, told.settled) == (1.0 + COST, True)
    assert usage.asked == 6  # once before; after, until it has risen, and once more
    assert verdict(one).observation is not None


async def test_a_count_that_stays_away_is_waited_for_no_longer_than_allowed(
    client: httpx.AsyncClient,
) -> None:
    with fake_usage(1.0) as usage:
        told = await (await begin(usage, client)).end([one := record(healthy_call())])
    assert (told.after, told.settled) == (1.0, True)
    assert 0.4 <= told.waited < 4
    assert f"{COST:.6f} USD less (100.0%)" in verdict(one).explanation


async def test_a_count_that_does_not_stop_is_not_held_against_the_target(client: httpx.AsyncClient) -> None:
    rising = [float(n) for n in range(100)]
    with fake_usage(*rising) as usage:
        one = record(healthy_call(usage_difference_percent=5.0))
        told = await (await begin(usage, client)).end([one])
    assert not told.settled
    found = verdict(one)
    assert found.outcome == Outcome.INCONCLUSIVE
    assert "it was still counting" in found.explanation


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_endpoint_that_fails_is_named_and_nobody_else_is_blamed(
    when: str, client: httpx.AsyncClient
) -> None:
    with fake_usage(1.0) as usage:
        usage.failing = when == "before"
        watch = await begin(usage, client)
        usage.failing = True
        told = await watch.end([one := record(healthy_call())])
    assert told.after is None
    found = verdict(one)
    assert found.outcome == Outcome.INCONCLUSIVE
    assert found.explanation.startswith(
        f"{when} the calls, the usage hook failed: GET {usage.url} answered 503"
    )
    assert "the counting is down" in found.explanation


async def test_an_endpoint_that_is_slow_is_given_up(client: httpx.AsyncClient) -> None:
    with fake_usage(1.0) as usage:
        usage.held.clear()
        watch = await begin(usage, client, within=0.2)
        usage.held.set()
        await watch.end([one := record(healthy_call())])
    assert usage.asked <= 1  # what failed before the calls is not asked after them
    assert "did not answer in full within 0.2 s" in verdict(one).explanation


async def test_the_record_of_a_call_that_was_placed_carries_what_was_told(client: httpx.AsyncClient) -> None:
    withheld = record(Timeline([call_started(), CallWithheld(at=0.0, reason="the budget is spent")]))
    placed = record(healthy_call())
    ended = max(event.at for event in placed.timeline)
    with fake_usage(1.0, 1.0 + COST) as usage:
        told = await (await begin(usage, client)).end([withheld, placed])
    assert withheld.timeline.first(UsageTold) is None
    assert placed.timeline.first(UsageTold) == told
    assert max(event.at for event in placed.timeline) == ended
    assert Timeline.from_jsonl(placed.timeline.to_jsonl()).first(UsageTold) == told


def test_no_thread_outlives_the_fake() -> None:
    before = set(threading.enumerate())
    with fake_usage():
        assert len(set(threading.enumerate()) - before) == 1
    assert set(threading.enumerate()) <= before
