"""What provokes each cause about calls that are lost, and had anew."""

from __future__ import annotations

from harness.core.events import (
    CallEnded,
    CallLost,
    CallResumed,
    Event,
    HerdCame,
    NetworkImpaired,
    RelayRestarted,
)
from tests.requirements.cases import case
from tests.support.editing import a, until, without
from tests.support.timelines import call_started, ending, healthy_events, server, state, usage

Events = list[Event]

LOST_AT = 8.0
EXPIRED = {"type": "invalid_request_error", "code": "session_expired", "message": "Your session expired."}


def blacked_out(*more: Event) -> Events:
    """Two seconds without a network while the caller speaks, and no reply; until the twelfth second."""
    spoken = until(healthy_events(), 3.0, 12.0)
    return [*spoken, NetworkImpaired(at=1.5, name="blackout", seconds=2.0), *more]


@case("lifecycle.short-blackout-survived", "call-dropped")
def a_layer_ends_during_the_blackout() -> Events:
    return blacked_out(state(3.0, "dtls", "closed"))


@case("lifecycle.short-blackout-survived", "turn-lost")
def nothing_is_answered_after_the_blackout() -> Events:
    return blacked_out()


@case("lifecycle.short-blackout-survived", "turn-lost")
def a_response_fails_after_the_blackout() -> Events:
    return blacked_out(server(5.0, "response.done", response={"id": "resp_9", "status": "failed"}))


@case("lifecycle.short-blackout-survived", "turn-lost")
def what_was_answered_before_the_blackout_is_no_answer_after_it() -> Events:
    response = {"id": "resp_0", "status": "completed", "output": [], "usage": usage(200)}
    return blacked_out(
        server(0.9, "response.created", response=response), server(1.2, "response.done", response=response)
    )


def lost(*more: Event) -> Events:
    """The session expires after a turn, the caller is told, and hangs up."""
    events = without(healthy_events(end=LOST_AT), a(CallEnded, side="upstream"))
    told = server(LOST_AT - 0.1, "error", error=EXPIRED)
    return [*events, told, CallLost(at=LOST_AT - 0.05, by="session_expired"), *more]


def released(at: float = LOST_AT) -> CallEnded:
    return CallEnded(at=at, side="upstream", reason="hang-up")


def resumed(at: float = LOST_AT + 1.0, failed: str = "", attempts: int = 1) -> CallResumed:
    return CallResumed(
        at=at, call="001-2", ufrag="next", asked_at=LOST_AT + 0.1, attempts=attempts, failed=failed
    )


def well_come_back() -> Events:
    """Lost, released, and had anew."""
    return lost(released(), resumed())


@case("lifecycle.lost-call-released", "call-leaked")
def a_lost_call_lives_on() -> Events:
    return lost(resumed())


@case("lifecycle.lost-call-released", "call-leaked")
def a_lost_call_is_released_half_a_minute_later() -> Events:
    return lost(resumed(), released(LOST_AT + 30))


@case("lifecycle.comes-back", "refused")
def the_new_offer_is_refused() -> Events:
    return lost(released(), resumed(failed="no answer", attempts=3))


@case("lifecycle.comes-back", "not-connected")
def the_new_call_does_not_connect() -> Events:
    return lost(released(), resumed(failed="the data channel did not open", attempts=3))


@case("lifecycle.comes-back", "too-late")
def the_new_call_takes_half_a_minute() -> Events:
    return lost(released(), resumed(at=LOST_AT + 30, attempts=2))


def restarted(*more: Event, end: float = 8.0) -> Events:
    return [*healthy_events(end=end), RelayRestarted(at=0.9, took=0.3), *more]


@case("lifecycle.relay-restart-survived", "call-dropped")
def a_restart_hangs_up() -> Events:
    return restarted(state(7.5, "dtls", "closed"), resumed())


@case("lifecycle.relay-restart-survived", "not-back")
def a_restarted_relay_takes_no_call() -> Events:
    return restarted(resumed(at=9.0, failed="no answer"))


@case("lifecycle.herd-served", "turned-away")
def one_of_a_herd_is_turned_away() -> Events:
    herd = HerdCame(at=3.0, callers=3, spread=0, waits=(0.4, 0.5), refusals=("no answer",))
    return [call_started(), herd, *ending(4.0)]
