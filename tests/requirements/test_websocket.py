"""Calls over a WebSocket that are as they should be, and what cannot be told of others."""

from __future__ import annotations

import msgspec
import pytest

from harness.core.events import ClientEvent, Event, HttpResponse, ServerEvent, SocketClosed, SocketMeasured
from harness.core.timeline import Timeline
from harness.requirements import REGISTRY, Outcome, Verdict, judge
from tests.requirements.websocket_cases import (
    ended_by_the_relay,
    failed,
    healthy_socket,
    refused,
    socket_started,
)
from tests.support.editing import a, changed, without


def test_a_healthy_call_over_a_websocket_leaves_out_what_has_to_do_with_sdp_ice_dtls_and_rtp() -> None:
    verdicts = judge([Timeline(healthy_socket())], REGISTRY)
    by_outcome = {v.id: v.outcome for v in verdicts}
    assert {Outcome.PASSED, Outcome.OBSERVED, Outcome.NOT_APPLICABLE} >= set(by_outcome.values())
    judged = {name for name, outcome in by_outcome.items() if outcome != Outcome.NOT_APPLICABLE}
    assert [n for n in judged if n.startswith(("connectivity.", "signaling."))] == ["signaling.model-lasts"]
    assert judged >= {
        "websocket.opens",
        "websocket.session-begins",
        "websocket.takes-audio",
        "websocket.answers-pings",
        "websocket.messages-whole",
        "websocket.messages-forwarded",
        "websocket.key-not-in-subprotocol",
        "session.created",
        "session.update-accepted",
        "session.stays-alive",
        "turns.response-completes",
        "turns.latency",
        "audio.comes-back",
        "audio.clean",
        "lifecycle.hang-up-releases-call",
        "security.key-not-exposed",
        "cost.per-call",
    }


def verdict(events: list[Event], requirement: str) -> Verdict:
    (found,) = judge([Timeline(events)], [REGISTRY.get(requirement)])
    return found


@pytest.mark.parametrize("failure", ["refused", "unresolved", "unanswered", "tls"])
def test_where_nobody_answers_nothing_is_said_of_the_relay(failure: str) -> None:
    found = verdict(failed(failure, "no route to host"), "websocket.opens")
    assert found.outcome == Outcome.INCONCLUSIVE
    assert "no route to host" in found.explanation


def test_a_bare_403_may_be_a_path_without_a_websocket() -> None:
    (other,) = verdict(refused(403), "websocket.opens").alternatives
    assert other.cause == "no-websocket"
    assert verdict(refused(403, "sign in first"), "websocket.opens").alternatives == ()


def test_a_relay_that_writes_ids_of_its_own_is_not_said_to_lose_events() -> None:
    def renamed(event: Event) -> Event:
        if isinstance(event, ServerEvent) and event.side == "caller" and event.event is not None:
            return msgspec.structs.replace(event, event={**event.event, "event_id": f"own_{event.at}"})
        return event

    events = [renamed(e) for e in healthy_socket()]
    assert verdict(events, "websocket.messages-forwarded").outcome == Outcome.PASSED


def test_what_was_sent_just_before_the_end_need_not_have_arrived() -> None:
    late = ServerEvent(at=7.5, side="upstream", event={"type": "rate_limits.updated", "event_id": "late"})
    sent = ClientEvent(at=7.6, event={"type": "input_audio_buffer.clear", "event_id": "last"})
    found = verdict([*healthy_socket(), late, sent], "websocket.messages-forwarded")
    assert found.outcome == Outcome.PASSED


@pytest.mark.parametrize("code", [1001, 1011, 1012])
def test_the_upstreams_code_or_one_that_says_that_it_is_gone_will_do(code: int) -> None:
    assert verdict(ended_by_the_relay(code), "websocket.close-told").outcome == Outcome.PASSED


def test_without_the_upstreams_view_forwarding_is_not_judged() -> None:
    events = [e for e in healthy_socket() if e.side == "caller"]
    assert verdict(events, "websocket.messages-forwarded").outcome == Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("changes", "requirement"),
    [
        ({"pings_sent": 0, "pongs": 0, "pong_ms": None}, "websocket.answers-pings"),
        ({"pings_sent": 0, "pongs": 0, "pong_ms": None}, "websocket.takes-audio"),
        ({"pings": 0}, "websocket.pings"),
    ],
)
def test_a_call_that_was_too_short_says_nothing_of_pings(
    changes: dict[str, object], requirement: str
) -> None:
    events = changed(healthy_socket(), a(SocketMeasured), **changes)
    assert verdict(events, requirement).outcome == Outcome.NOT_APPLICABLE


def test_a_call_cut_off_in_the_middle_is_not_passed() -> None:
    begun = [e for e in healthy_socket() if e.at < 0.15]
    assert verdict(begun, "websocket.opens").outcome == Outcome.INCONCLUSIVE
    open_only = without([e for e in healthy_socket() if e.at < 1.0], a(ServerEvent))
    assert verdict(open_only, "websocket.session-begins").outcome == Outcome.INCONCLUSIVE


def test_a_page_with_an_ephemeral_key_is_as_it_should_be() -> None:
    events = [socket_started(), *healthy_socket()[1:]]
    assert verdict(events, "websocket.key-not-in-subprotocol").outcome == Outcome.PASSED
    assert any(isinstance(e, HttpResponse | SocketClosed) for e in events)
