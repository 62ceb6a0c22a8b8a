"""Whose an error is: the harness's own events, races and what other requirements tell are no findings."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from harness.core.events import CallStarted, Event
from harness.core.probes import INVALID_UPDATE
from harness.requirements import REGISTRY, Outcome, Verdict, judge
from tests.requirements.session_cases import refusal
from tests.support.editing import a, changed
from tests.support.timelines import client, healthy_events, server, timeline_of

OWN = "evt_of_the_caller"
SAID = client(1.0, "conversation.item.create", item={})


def verdict(events: list[Event]) -> Verdict:
    (found,) = judge([timeline_of(events)], [REGISTRY.get("session.events-accepted")])
    return found


def error(code: str, **fields: Any) -> Event:
    return server(
        2.0, "error", error={"type": "invalid_request_error", "code": code, "message": "no", **fields}
    )


@pytest.mark.parametrize(
    "events",
    [
        [msgspec.structs.replace(SAID, event={**SAID.event, "event_id": OWN}), refusal(OWN, 1.1)],
        [
            msgspec.structs.replace(SAID, event={**SAID.event, "event_id": f"{INVALID_UPDATE}x"}),
            refusal(None, 1.4),
        ],
        [
            msgspec.structs.replace(SAID, event={**SAID.event, "event_id": OWN}),
            msgspec.structs.replace(refusal(OWN, 0.99), side="upstream"),
        ],
        [error("server_error")],
        [error("response_cancel_not_active")],
        [refusal("event_of_a_sideband", 9.0)],
    ],
    ids=[
        "our own",
        "our own probe, without its name",
        "our own, by a clock that is behind",
        "told elsewhere",
        "a race",
        "after the hang-up",
    ],
)
def test_it_is_no_finding(events: list[Event]) -> None:
    assert verdict([*healthy_events(), *events]).outcome == Outcome.PASSED


def test_what_both_ends_saw_is_quoted_once_with_what_was_sent() -> None:
    seen = refusal("event_of_a_sideband", 2.0)
    upstream = msgspec.structs.replace(seen, at=1.99, side="upstream")
    sent = msgspec.structs.replace(client(1.98, "session.update"), side="upstream")
    found = verdict([*healthy_events(), sent, upstream, seen])
    assert found.cause == "event-refused"
    assert "'unknown_parameter': \"Unknown parameter: 'session.turn_detection'.\"" in found.explanation
    assert [e.text.partition(":")[0] for e in found.evidence] == [
        "the upstream was sent 'session.update'",
        "error 'unknown_parameter'",
    ]


def test_a_pages_own_events_are_the_pages() -> None:
    own = msgspec.structs.replace(SAID, event={**SAID.event, "event_id": OWN})
    of_a_page = changed([*healthy_events(), own, refusal(OWN, 1.1)], a(CallStarted), caller="page")
    assert verdict(of_a_page).cause == "event-refused"
