"""What is told of servers that gave no candidate."""

from __future__ import annotations

from harness.core.events import Event, IceServerTried, StateChanged
from harness.requirements import REGISTRY, judge
from tests.support.timelines import healthy_events, timeline_of

REFUSED = IceServerTried(at=0.03, url="turn:turn.example.com", error="401 Unauthorized", took=0.1)


def told(events: list[Event]) -> str:
    (found,) = judge([timeline_of([*events, REFUSED])], [REGISTRY.get("connectivity.gathering")])
    assert found.cause == "turn-refused"
    return found.explanation


def test_a_failed_server_is_told_with_how_long_gathering_took() -> None:
    assert "; gathering took 0." in told(healthy_events())


def test_where_gathering_was_not_recorded_its_time_is_not_told() -> None:
    events = [e for e in healthy_events() if not (isinstance(e, StateChanged) and e.layer == "gathering")]
    assert "gathering took" not in told(events)
