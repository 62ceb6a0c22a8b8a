from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from pydantic import SecretStr

from harness.call import Caller, Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.core.events import ClientEvent, HarnessFailed, HttpRequest
from harness.core.probes import BAD_OFFERS, UPSTREAM_FAILURES
from harness.core.timeline import Timeline
from harness.fakes.openai.faults import OPENAI_FAULTS

Verb = Callable[[Caller], Awaitable[None]]


async def call(context: CallContext, verb: Verb) -> Timeline:
    record = await make_call(context, Scenario("probe", "A probe.", verb, ()), call="001")
    assert record.timeline.first(HarnessFailed, side=None) is None
    return record.timeline


def requests(timeline: Timeline) -> list[tuple[str, str]]:
    """Purpose and case of what we sent."""
    return [(e.purpose, e.case) for e in timeline.all(HttpRequest)]


async def test_every_bad_offer_is_sent_once(context: CallContext) -> None:
    timeline = await call(context, lambda caller: caller.probe.send_bad_offers())
    assert requests(timeline) == [("bad-offer", case) for case in BAD_OFFERS]


async def test_without_a_fake_upstream_nothing_is_made_to_fail(context: CallContext) -> None:
    timeline = await call(
        replace(context, upstream=None), lambda caller: caller.probe.offer_while_upstream_fails()
    )
    assert requests(timeline) == []


async def test_a_target_without_credentials_is_not_asked_without_them(context: CallContext) -> None:
    assert requests(await call(context, lambda caller: caller.probe.offer_without_credentials())) == []


async def test_a_target_with_credentials_is_asked_without_them(context: CallContext) -> None:
    guarded = replace(context, target=replace(context.target, bearer=SecretStr("a-token-of-this-test")))
    timeline = await call(guarded, lambda caller: caller.probe.offer_without_credentials())
    (request,) = timeline.all(HttpRequest)
    assert request.purpose == "unauthenticated"
    assert "authorization" not in {name.lower() for name, _ in request.headers}


async def test_a_preflight_is_sent_only_for_an_origin(context: CallContext) -> None:
    assert requests(await call(context, lambda caller: caller.probe.preflight())) == []
    page = replace(context, target=replace(context.target, origin="https://app.example"))
    assert requests(await call(page, lambda caller: caller.probe.preflight())) == [("preflight", "")]


async def test_the_ladder_climbs_one_rung_after_the_other(context: CallContext) -> None:
    async def plan(caller: Caller) -> None:
        await caller.connect()
        await caller.probe.climb_updates()

    sizes = [len(str(e.event)) for e in (await call(context, plan)).all(ClientEvent)]
    assert len(sizes) == 4
    assert sizes == sorted(sizes)
    assert sizes[-1] > 200 * 1024


def test_what_the_upstream_is_made_to_do_is_what_the_fake_can_do() -> None:
    assert set(UPSTREAM_FAILURES) <= {fault.name for fault in OPENAI_FAULTS}
