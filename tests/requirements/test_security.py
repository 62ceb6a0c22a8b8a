"""What is allowed, and what binds, beside what each cause's own call shows."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from harness.core import probes
from harness.core.events import Event
from harness.requirements import REGISTRY, Outcome, judge
from harness.requirements.model import Verdict
from tests.requirements.security_cases import asked_from_elsewhere, the_key_in_an_event
from tests.requirements.signaling_building import probe, responded
from tests.support.timelines import timeline_of

TURN, STUN = {"urls": "turn:turn.example.com", "username": "a"}, {"urls": "stun:stun.example.com"}


def verdict(requirement: str, events: Sequence[Event]) -> Verdict:
    (found,) = judge([timeline_of(events)], REGISTRY.select(ids=[requirement]))
    return found


@pytest.mark.parametrize(
    ("allowed", "outcome"),
    [
        ({"origin": probes.FOREIGN_ORIGIN}, Outcome.WARNED),
        ({"origin": probes.FOREIGN_ORIGIN, "credentials": "true"}, Outcome.FAILED),
        ({"origin": "*"}, Outcome.WARNED),
        ({"origin": "*", "credentials": "true"}, Outcome.WARNED),  # which no browser takes
        ({"origin": "https://theirs.example", "credentials": "true"}, Outcome.PASSED),
        ({}, Outcome.PASSED),
    ],
)
def test_a_page_elsewhere_binds_only_where_it_may_send_cookies(
    allowed: dict[str, str], outcome: Outcome
) -> None:
    found = verdict("security.foreign-origin-refused", asked_from_elsewhere(**allowed))
    assert found.outcome == outcome
    assert ("with credentials" in found.explanation) == (outcome == Outcome.FAILED)


@pytest.mark.parametrize(
    ("status", "servers", "outcome"),
    [
        (200, [TURN | {"credential": "b"}], Outcome.WARNED),
        (401, [TURN | {"credential": "b"}], Outcome.PASSED),
        (200, [TURN], Outcome.PASSED),
        (200, [STUN | {"credential": "b"}], Outcome.PASSED),
        (200, [STUN], Outcome.PASSED),
    ],
)
def test_only_a_turn_server_with_its_password_is_handed_out(
    status: int, servers: list[dict[str, str]], outcome: Outcome
) -> None:
    answer = responded(probes.OPEN_ICE, status, json.dumps({"iceServers": servers}))
    found = verdict("security.ice-credentials-guarded", probe(probes.OPEN_ICE, "", answer))
    assert found.outcome == outcome


def test_it_is_said_in_which_event_a_key_came() -> None:
    found = verdict("security.key-not-exposed", the_key_in_an_event())
    assert found.explanation.endswith("in server event session.created")
