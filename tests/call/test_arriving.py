"""A request that names no call finds its own by time and order."""

from __future__ import annotations

from dataclasses import dataclass

from harness.call.arriving import Offered, Offers, owners_of, read_arrivals
from harness.core.clock import MonotonicClock, RelativeClock
from harness.core.events import CallStarted, RequestArrived
from harness.core.timeline import Timeline


def request(name: str, at: float, took: float = 0.01, **fields: str) -> RequestArrived:
    return RequestArrived(at=at, id=name, method="POST", took=took, **{"url": "/v1/realtime/calls", **fields})  # type: ignore[arg-type]  # texts all


def test_it_is_of_the_offer_that_was_answered_next() -> None:
    slow, quick = Offered("slow", 0.0, 11.0), Offered("quick", 1.0, 1.2)
    assert owners_of([request("a", 1.1)], [slow, quick]) == {"a": "quick"}
    assert owners_of([request("a", 5.0)], [slow, quick]) == {"a": "slow"}


def test_outside_of_every_offers_time_it_is_nobodys() -> None:
    assert owners_of([request("a", 3.0)], [Offered("one", 0.0, 1.0)]) == {}


def test_two_offers_at_once_are_given_one_each() -> None:
    offers = [Offered("first", 0.0, 0.202), Offered("second", 0.001, 0.203)]
    found = owners_of([request("b", 0.151, 0.05), request("a", 0.15, 0.05)], offers)
    assert found == {"a": "first", "b": "second"}


def test_an_offer_that_arrived_by_name_leaves_the_nameless_to_the_other() -> None:
    offers = [Offered("named", 0.0, 0.202), Offered("other", 0.0, 0.21)]
    by_name = request("n", 0.1, ufrag="named")
    assert owners_of([by_name, request("a", 0.15)], offers) == {"a": "other"}


def test_what_is_no_offer_is_of_the_nearest_even_so() -> None:
    """A relay that mints a key first makes two requests for one offer."""
    offers = [Offered("named", 0.0, 0.2), Offered("other", 0.0, 9.0)]
    minted = request("m", 0.05, url="/v1/realtime/client_secrets")
    assert owners_of([request("n", 0.1, ufrag="named"), minted], offers) == {"m": "named"}


@dataclass
class Fake:
    """What a fake answers when it is asked what arrived."""

    requests: list[RequestArrived]
    base: str = "http://127.0.0.1:1"

    async def arrived(self, *, since: float = 0.0, answer: str = "") -> list[RequestArrived]:
        return self.requests


async def test_a_further_offer_of_another_call_of_ours_is_no_strays() -> None:
    """It is called after its call: `ufrag+1`, made for a second look or beside it."""
    clock, offers = RelativeClock(MonotonicClock()), Offers()
    earlier, this = (Timeline([CallStarted(at=0.0, call=name, ufrag=name)]) for name in ("one", "two"))
    offers.add(clock, earlier)
    offers.add(clock, this)
    names = ("one+1", "two+2", "on", "another")
    found = [request(name, clock.origin - 0.01, ufrag=name) for name in names]
    await read_arrivals(Fake(found), offers, this, "two", clock)  # type: ignore[arg-type]  # all that is asked of it
    assert [e.ufrag for e in this.all(RequestArrived)] == ["on", "another"]
