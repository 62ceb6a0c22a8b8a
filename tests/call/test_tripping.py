"""Further offers after a refusal: as few as tell what the relay trips over, and billed only when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from harness.call import Caller, Scenario
from harness.call.conduct import make_calls
from harness.call.context import CallContext
from harness.config.target import Target
from harness.core.events import OfferTried
from harness.core.offer_shapes import (
    AGAIN,
    CHROMIUM,
    MINIMAL,
    NO_CANDIDATE,
    OTHER_SHAPE,
    SMALLEST,
    SMALLEST_AS_LONG,
)
from harness.fakes.embedded import EmbeddedPair
from tests.far_end.gateway import OnThisMachine


@pytest.fixture(scope="module")
def pair() -> Iterator[EmbeddedPair]:
    """One for all: each test plants its fault for all calls, one test after the other."""
    with EmbeddedPair() as started:
        yield started


@dataclass(frozen=True)
class Made:
    """What each call tried, and how many calls it came to upstream."""

    tried: list[list[OfferTried]]
    upstream: int

    def hows(self) -> list[str]:
        """Of the first call."""
        return [each.how for each in self.tried[0]]


async def connects(caller: Caller) -> None:
    await caller.connect()
    await caller.hang_up()


async def made(
    pair: EmbeddedPair, fault: str, offer: str = CHROMIUM, calls: int = 1, *, find_line: bool = True
) -> Made:
    """Calls side by side through a relay with this fault, whose upstream is not seen; all have ended."""
    name, _, value = fault.partition("=")
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(f"{pair.fake}/_fake/reset", json={})
        planted = {name: value} if value else [{"name": name}]
        (await client.put(f"{pair.relay}/_relay/faults", json=planted)).raise_for_status()
        settings = OnThisMachine(target=Target(pair.offer_url), seed=1, offer=offer, find_line=find_line)
        async with CallContext.open(settings, EmbeddedPair.for_run) as context:
            plan = Scenario("connects", "connects", connects, ())
            records = await make_calls(context, [plan] * calls, concurrency=calls)
        async with asyncio.timeout(10):  # until the fake knows that each was hung up
            while (await client.get(f"{pair.fake}/_fake/health")).json()["live"]:
                await asyncio.sleep(0.05)
        seen = (await client.get(f"{pair.fake}/_fake/calls")).json()["calls"]
    return Made([record.timeline.all(OfferTried) for record in records], len(seen))


async def test_calls_of_one_shape_share_one_search_that_bills_three_calls_at_most(
    pair: EmbeddedPair,
) -> None:
    result = await made(pair, "line-refused=extmap+rtcp-fb", calls=3)
    first, *others = [[(t.how, t.change, t.status) for t in each] for each in result.tried]
    assert others == [first, first]
    assert sum(t.accepted for t in result.tried[0]) == result.upstream == 3
    assert OTHER_SHAPE not in result.hows()  # each would be billed where the upstream is OpenAI
    assert result.tried[0][-1].change == "without a=extmap and without a=rtcp-fb"


async def test_every_call_that_a_further_offer_made_is_hung_up(pair: EmbeddedPair) -> None:
    result = await made(pair, "candidate-demanded")
    assert [(t.how, t.accepted) for t in result.tried[0]] == [
        (AGAIN, False),
        (SMALLEST_AS_LONG, True),
        (NO_CANDIDATE, True),
    ]
    assert result.upstream == 2


async def test_unless_asked_to_find_the_line_it_bills_one_call(pair: EmbeddedPair) -> None:
    result = await made(pair, "line-refused=extmap", find_line=False)
    assert [(t.how, t.accepted) for t in result.tried[0]] == [(AGAIN, False), (SMALLEST_AS_LONG, True)]
    assert result.upstream == 1


async def test_a_relay_that_refuses_everything_is_asked_three_times_more(pair: EmbeddedPair) -> None:
    result = await made(pair, "offer-refused")
    assert result.hows() == [AGAIN, SMALLEST_AS_LONG, SMALLEST]
    assert result.upstream == 0


@pytest.mark.parametrize(
    ("fault", "offer"), [("unauthorized", CHROMIUM), ("not-found", CHROMIUM), ("offer-refused", MINIMAL)]
)
async def test_nothing_is_tried_where_how_the_offer_is_written_cannot_matter(
    pair: EmbeddedPair, fault: str, offer: str
) -> None:
    assert (await made(pair, fault, offer)).hows() == []
