"""What provokes each cause in session."""

from __future__ import annotations

from typing import Any

from harness.core.events import (
    CallEnded,
    ClientEvent,
    Event,
    EventInvalid,
    EventUnsent,
    PacketsReceived,
    ReceiverReport,
    ServerEvent,
)
from tests.requirements.cases import case
from tests.support.editing import a, changed, told, until, without
from tests.support.timelines import SESSION, client, healthy_events, server, state

Events = list[Event]
VAD_OFF: dict[str, Any] = {**SESSION, "audio": {**SESSION["audio"], "input": {"turn_detection": None}}}


@case("session.created", "session-created-missing")
def no_session_created() -> Events:
    return without(healthy_events(), a(ServerEvent, "session.created"))


@case("session.created", "session-created-missing")
def no_event_at_all() -> Events:
    return without(healthy_events(), a(ServerEvent))


# --- update-accepted ---


def refusal(event_id: str | None, at: float = 0.56) -> ServerEvent:
    error = {
        "type": "invalid_request_error",
        "code": "unknown_parameter",
        "param": "session.turn_detection",
        "message": "Unknown parameter: 'session.turn_detection'.",
        "event_id": event_id,
    }
    return server(at, "error", error=error)


@case("session.update-accepted", "update-ignored")
def no_reply_to_the_update() -> Events:
    return without(healthy_events(), a(ServerEvent, "session.updated"))


@case("session.update-accepted", "update-ignored")
def only_the_first_of_two_is_answered() -> Events:
    return [*healthy_events(), client(0.58, "session.update", session={"type": "realtime"})]


@case("session.update-accepted", "update-refused")
def the_update_is_refused() -> Events:
    events = without(healthy_events(), a(ServerEvent, "session.updated"))
    return [*events, refusal("evt_0.500000")]


@case("session.update-accepted", "update-refused")
def the_update_is_refused_without_naming_it() -> Events:
    return [*without(healthy_events(), a(ServerEvent, "session.updated")), refusal(None)]


@case("session.update-accepted", "update-refused")
def the_second_of_two_is_refused() -> Events:
    second = client(0.57, "session.update", session={"type": "realtime"})
    return [*healthy_events(), second, refusal("evt_0.570000", 0.6)]


@case("session.update-accepted", "update-not-applied")
def the_instructions_are_not_taken() -> Events:
    return told(healthy_events(), "session.updated", lambda e: e["session"].update(instructions="Other."))


@case("session.update-accepted", "update-not-applied")
def the_voice_is_not_taken() -> Events:
    asked = {"type": "realtime", "audio": {"output": {"voice": "marin"}}}
    return changed(
        healthy_events(), a(ClientEvent, "session.update"), event=lambda e: {**e, "session": asked}
    )


@case("session.update-accepted", "update-not-applied")
def the_tools_are_not_taken() -> Events:
    asked = {"type": "realtime", "tools": [{"type": "function", "name": "order"}]}
    return changed(
        healthy_events(), a(ClientEvent, "session.update"), event=lambda e: {**e, "session": asked}
    )


# --- vad-configured ---


@case("session.vad-configured", "vad-disabled")
def the_relay_configures_no_turn_detection() -> Events:
    events = told(healthy_events(), "session.created", lambda e: e.update(session=VAD_OFF))
    events = told(events, "session.updated", lambda e: e.update(session=VAD_OFF))
    return until(events, 3.3, 12.0)


# --- large-update and error-reported ---


def ladder(*sizes: int, answered: int) -> Events:
    """Updates of growing size, of which the first so many are answered."""
    events = until(healthy_events(), 1.0, 12.0)
    for i, size in enumerate(sizes):
        update = {"type": "realtime", "instructions": "x" * size}
        events.append(client(1.0 + i, "session.update", session=update, event_id=f"large-update-{size}"))
        if i < answered:
            events.append(server(1.5 + i, "session.updated", session={**SESSION, **update}))
    return events


@case("session.large-update", "message-too-large")
def the_third_rung_gets_no_reply() -> Events:
    return ladder(1024, 16384, 65536, answered=2)


@case("session.large-update", "message-too-large")
def the_second_rung_closes_the_channel() -> Events:
    return [*ladder(1024, 16384, answered=1), state(2.3, "channel", "closed")]


@case("session.error-reported", "error-not-reported")
def no_error_for_a_wrong_update() -> Events:
    return [*until(healthy_events(), 1.0, 12.0), client(1.0, "session.update", event_id="invalid-update-1")]


@case("session.error-reported", "error-not-reported")
def an_error_that_names_nothing() -> Events:
    return [*no_error_for_a_wrong_update(), refusal(None, 1.1)]


@case("session.error-reported", "error-not-reported")
def two_errors_for_one_wrong_update() -> Events:
    errors = [refusal("invalid-update-1", at) for at in (1.1, 1.2)]
    return [*no_error_for_a_wrong_update(), *errors]


EXPIRED_ERROR = {
    "type": "invalid_request_error",
    "code": "session_expired",
    "message": "Your session hit the maximum duration of 60 minutes.",
    "event_id": None,
}


# --- stays-alive ---


@case("session.stays-alive", "server-error")
def the_server_had_an_error() -> Events:
    error = {
        "type": "server_error",
        "message": "The server had an error … session ID: sess_1",
        "event_id": None,
    }
    return [*until(healthy_events(), 3.3, 8.0), server(3.4, "error", error=error)]


@case("session.stays-alive", "channel-closed")
def the_channel_is_closed() -> Events:
    return [*until(healthy_events(), 3.3, 8.0), state(3.4, "channel", "closed")]


@case("session.stays-alive", "channel-closed")
def the_other_end_says_goodbye() -> Events:
    goodbye = [state(3.4, "dtls", "closed"), state(3.41, "channel", "closed")]
    return [*until(healthy_events(), 3.3, 8.0), *goodbye]


@case("session.stays-alive", "peer-gone")
def consent_is_lost() -> Events:
    lost = [state(3.4, "ice", "disconnected"), state(3.5, "channel", "closed")]
    return [*until(healthy_events(), 3.3, 8.0), *lost]


@case("session.stays-alive", "peer-gone")
def the_upstream_left_without_a_word() -> Events:
    left = CallEnded(at=3.2, side="upstream", reason="peer-gone")
    return [*until(healthy_events(), 3.3, 8.0), left]


@case("session.stays-alive", "peer-gone")
def nothing_comes_any_more() -> Events:
    events = [
        e for e in until(healthy_events(), 3.3, 16.0) if not isinstance(e, ReceiverReport | PacketsReceived)
    ]
    return [*events, *(ReceiverReport(at=t, fraction_lost=0, lost=0, jitter_ms=1) for t in (1.0, 3.0))]


# --- events ---


@case("session.events-valid", "event-malformed")
def a_field_is_missing() -> Events:
    return [
        *healthy_events(),
        EventInvalid(at=3.4, type="response.done", problem="response.id: field required"),
    ]


@case("session.events-valid", "event-malformed")
def a_message_that_is_no_json() -> Events:
    return [*healthy_events(), ServerEvent(at=3.4, event=None, raw="{oops", size=5)]


@case("session.events-valid", "event-unknown")
def a_type_nobody_knows() -> Events:
    invalid = EventInvalid(at=3.4, type="response.sung", problem="not among the official", unknown_type=True)
    return [*healthy_events(), invalid]


@case("session.events-ordered", "event-duplicated")
def an_event_comes_twice() -> Events:
    events = healthy_events()
    twice = next(e for e in events if a(ServerEvent, "response.done")(e))
    return [*events, twice]


@case("session.events-ordered", "event-out-of-order")
def speech_stops_before_it_starts() -> Events:
    return changed(healthy_events(), a(ServerEvent, "input_audio_buffer.speech_stopped"), at=1.3)


@case("session.events-ordered", "event-out-of-order")
def a_response_goes_on_after_it_is_done() -> Events:
    late = server(5.0, "response.output_audio_transcript.delta", response_id="resp_1", delta="…")
    return [*healthy_events(), late]


@case("session.events-ordered", "event-out-of-order")
def a_part_of_a_response_before_it_is_created() -> Events:
    early = server(3.7, "response.output_item.added", response_id="resp_1", item={"id": "item_9"})
    return [*healthy_events(), early]


@case("session.events-ordered", "event-out-of-order")
def something_before_session_created() -> Events:
    return [*healthy_events(), server(0.39, "rate_limits.updated", rate_limits=[])]


@case("session.large-update", "over-max-message-size")
def the_second_rung_cannot_be_sent() -> Events:
    return [*ladder(1024, answered=1), unsent("large-update-64")]


@case("session.large-update", "over-max-message-size")
def an_ordinary_event_cannot_be_sent() -> Events:
    return [*healthy_events(), unsent("evt_1")]


def unsent(event_id: str) -> Event:
    return EventUnsent(at=2.6, type="session.update", size=70_000, event_id=event_id)
